"""Workers: stopped together, and cancelled when they do not end."""

import asyncio

import pytest

from webhooks.workers import run_workers


class Recorder:
    """Worker that takes a while to end, or fails."""

    def __init__(self, *, ends_after_s: float = 0.0, failure: Exception | None = None) -> None:
        self.events: list[str] = []
        self._stopped = asyncio.Event()
        self._ends_after_s, self._failure = ends_after_s, failure

    async def run(self) -> None:
        try:
            if self._failure is not None:
                raise self._failure
            await self._stopped.wait()
            await asyncio.sleep(self._ends_after_s)
            self.events.append("ended")
        except asyncio.CancelledError:
            self.events.append("cancelled")
            raise

    def stop(self) -> None:
        self.events.append("stopped")
        self._stopped.set()


async def test_workers_end_what_they_have_begun() -> None:
    workers, stop = [Recorder(ends_after_s=0.05), Recorder()], asyncio.Event()
    running = asyncio.create_task(run_workers(workers, stop, drain_s=5.0))
    await asyncio.sleep(0)
    stop.set()
    await running
    assert [worker.events for worker in workers] == [["stopped", "ended"]] * 2


async def test_a_worker_that_does_not_end_is_cancelled() -> None:
    worker, stop = Recorder(ends_after_s=60.0), asyncio.Event()
    stop.set()
    await run_workers([worker], stop, drain_s=0.01)
    assert worker.events == ["stopped", "cancelled"]


async def test_the_failure_of_one_ends_all() -> None:
    other = Recorder(ends_after_s=0.01)
    with pytest.raises(OSError, match="no disk"):
        await run_workers([Recorder(failure=OSError("no disk")), other], asyncio.Event(), drain_s=5.0)
    assert other.events == ["stopped", "ended"]
