"""A processor with waiting records and no progress ends itself, so that its supervisor restarts it."""

import pytest

from tests.faults.matrix import Row
from tests.integration.processor.traffic import traffic
from tests.support.crashing.points import CrashPoint
from tests.support.crashing.processes import exit_code
from tests.support.crashing.striking import Act, struck
from tests.support.fault_table import Recovery
from tests.support.site import Site, processing, processor_process

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(120)]

SEAT = "seat-1"
IMPATIENT = {"PROCESSOR_STALLED_AFTER_S": "2", "PROCESSOR_DRAIN_S": "1"}
DAY = traffic(15, seed=31)


@pytest.mark.fault(Row.NOTHING_MOVES)
@pytest.mark.parametrize("point", [CrashPoint.AFTER_FETCH, CrashPoint.BEFORE_COMMIT])
async def test_a_processor_without_progress_ends_itself_and_the_next_one_continues(
    site: Site, point: CrashPoint, recovery: Recovery
) -> None:
    await site.send(DAY)
    hanging = struck(point, on_call=3, act=Act.HANG)
    with processor_process(site, "stuck", seat=SEAT, env=hanging | IMPATIENT) as stuck:
        assert await exit_code(stuck, timeout_s=90) == 1
    async with processing(site, "next", seat=SEAT):
        with recovery.timed():
            await site.finished()
    assert await site.violations(DAY, published=True) == []
