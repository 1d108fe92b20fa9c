"""A processor that hangs longer than its session: frozen, perhaps in a transaction, or busy."""

import signal
import time
from multiprocessing.process import BaseProcess

import psutil
import pytest

from storage.mongo.schema import PARTITION_FENCES
from tests.faults.matrix import Row
from tests.integration.processor.traffic import traffic
from tests.support.crashing.points import CrashPoint
from tests.support.crashing.processes import exit_code, send_signal
from tests.support.crashing.striking import STALL_S, Act, struck
from tests.support.fault_table import Recovery
from tests.support.site import SESSION_TIMEOUT_S, Site, processing, processor_process
from tests.support.waiting import wait_for, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(120)]

FROZEN_S = 2 * SESSION_TIMEOUT_S
BEFORE, MEANWHILE, AFTER = (
    traffic(15, seed=6),
    traffic(15, seed=7, first=1000),
    traffic(15, seed=8, first=2000),
)


@pytest.mark.fault(Row.PROCESSOR_FROZEN)
@pytest.mark.parametrize(
    "inside",
    [
        pytest.param(CrashPoint.BEFORE_COMMIT, id="between writing and committing"),
        pytest.param(CrashPoint.AFTER_COMMIT, id="between committing and publishing", marks=pytest.mark.long),
        pytest.param(CrashPoint.AFTER_FETCH, id="between fetching and looking", marks=pytest.mark.long),
    ],
)
async def test_a_frozen_processor_that_resumes_changes_nothing(
    site: Site, inside: CrashPoint, recovery: Recovery
) -> None:
    await site.send(BEFORE)
    with processor_process(site, "frozen", env=struck(inside, on_call=3, act=Act.FREEZE)) as frozen:
        await wait_until(lambda: is_frozen(frozen), timeout_s=30, what="the processor to freeze")
        frozen_at = time.monotonic()
        try:
            async with processing(site, "awake"):
                await site.send(MEANWHILE)
                await site.finished(timeout_s=40)
                await wait_until(lambda: time.monotonic() > frozen_at + FROZEN_S, timeout_s=FROZEN_S + 5)
                send_signal(frozen, signal.SIGCONT)
                with recovery.timed():
                    await site.send(AFTER)
                    await site.finished(timeout_s=40)
        finally:
            send_signal(frozen, signal.SIGCONT)
        frozen.terminate()
        assert await exit_code(frozen) == 0, "it was evicted, and is a member like any other again"
    assert await site.violations([*BEFORE, *MEANWHILE, *AFTER], published=True) == []


def is_frozen(process: BaseProcess) -> bool:
    """Return whether a process has been stopped by a signal."""
    return psutil.Process(process.pid).status() == psutil.STATUS_STOPPED


@pytest.mark.long
@pytest.mark.fault(Row.LOOP_STALLED)
@pytest.mark.parametrize("point", [CrashPoint.AFTER_FETCH, CrashPoint.BEFORE_COMMIT])
async def test_a_processor_whose_event_loop_was_blocked_rejoins_and_continues(
    site: Site, point: CrashPoint, recovery: Recovery
) -> None:
    await site.send(BEFORE)
    with processor_process(site, "stalled", env=struck(point, act=Act.STALL)) as stalled:
        started = time.monotonic()
        await site.finished(timeout_s=40)
        recovery.took(max(0.0, time.monotonic() - started - STALL_S))
        await wait_for(lambda: is_taken_again(site), timeout_s=20, what="the partitions to be taken again")
        await site.send(AFTER)
        await site.finished(timeout_s=40)
        stalled.terminate()
        assert await exit_code(stalled) == 0
    assert await site.violations([*BEFORE, *AFTER], published=True) == []


async def is_taken_again(site: Site) -> bool:
    """Return whether every partition has been taken over a second time."""
    return all([fence["epoch"] > 1 async for fence in site.database[PARTITION_FENCES].find()])
