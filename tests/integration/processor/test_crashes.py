"""The processor killed with -9: in the middle of a transaction, and under load with another one beside it.

All the points at which it can die are walked in `tests/faults/test_failpoints.py`.
"""

from contextlib import ExitStack

import pytest

from domain.shipments.commands import Command
from domain.shipments.status import Status
from tests.faults.matrix import Row
from tests.integration.processor.traffic import traffic
from tests.support.builders import creation, report
from tests.support.crashing.points import CrashPoint
from tests.support.crashing.processes import KILLED, exit_code
from tests.support.crashing.striking import struck
from tests.support.site import Site, processing, processor_process
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.fault(Row.PROCESSOR_KILLED)]

SEAT = "seat-1"
PAIR: list[Command] = [creation(), report(Status.PICKED_UP)]


async def test_a_batch_in_flight_when_the_processor_died_is_not_written(site: Site) -> None:
    await site.send(PAIR)
    with processor_process(site, "doomed", seat=SEAT, env=struck(CrashPoint.INSIDE_TRANSACTION)) as doomed:
        assert await exit_code(doomed) == KILLED
    observed = await site.observed()
    assert (dict(observed.events), dict(observed.shipments)) == ({}, {})
    async with processing(site, "next", seat=SEAT):
        await site.finished()
    assert await site.violations(PAIR) == []


async def test_two_processors_share_the_log_and_one_takes_over_when_the_other_is_killed(site: Site) -> None:
    day = traffic(120, seed=5)
    chunks = [day[first : first + 60] for first in range(0, len(day), 60)]
    with ExitStack() as stack:
        processes = [stack.enter_context(processor_process(site, instance)) for instance in ("one", "other")]

        async def shared() -> bool:
            return await site.owners() == {"one", "other"}

        await wait_for(shared, timeout_s=20, what="two owners")
        for chunk in chunks[:4]:
            await site.send(chunk)
        await site.recorded(40)
        processes[0].kill()
        for chunk in chunks[4:]:
            await site.send(chunk)
        await site.finished(timeout_s=40)
        assert await site.owners() == {"other"}
        processes[1].terminate()
        assert await exit_code(processes[1]) == 0
    assert await site.violations(day, published=True) == []
