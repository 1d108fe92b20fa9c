"""The runner of replays: it makes their deliveries due, slice by slice, and sees when all were sent."""

import asyncio
import contextlib
from dataclasses import replace
from typing import Final

import structlog

from domain.errors import StoreUnavailable
from domain.ports.core import Clock
from webhooks.dispatching.dispatcher import Dispatcher
from webhooks.stores.leases import MongoLeases
from webhooks.stores.replay_jobs import MongoReplayJobs, ReplayJob

_log = structlog.get_logger(__name__)

LOOK_S: Final = 1.0


class ReplayRunner:
    """Runs replays until stopped, in every replica: each job has one runner at a time."""

    def __init__(
        self, jobs: MongoReplayJobs, leases: MongoLeases, dispatcher: Dispatcher, clock: Clock
    ) -> None:
        self._jobs = jobs
        self._leases = leases
        self._dispatcher = dispatcher
        self._clock = clock
        self._looking = asyncio.Event()
        self._is_stopped = False

    def wake(self) -> None:
        """Look for replays now."""
        self._looking.set()

    def stop(self) -> None:
        """Begin no other slice; `run` returns soon."""
        self._is_stopped = True
        self._looking.set()

    async def run(self) -> None:
        """Run replays until stopped."""
        while not self._is_stopped:
            try:
                await self._run_all()
            except StoreUnavailable as error:
                _log.warning("webhook_replays_wait", error=str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._looking.wait()
            self._looking.clear()

    async def _run_all(self) -> None:
        while not self._is_stopped and (job := await self._jobs.acquire()) is not None:
            if job.is_walked or await self._walk(job):
                await self._conclude(job)

    async def _walk(self, job: ReplayJob) -> bool:
        """Make the job's deliveries due; return False if another runner has it, or this one is stopped."""
        while not self._is_stopped:
            found = await self._jobs.next_slice(job)
            if not found:
                return await self._jobs.note_walked(job)
            now = self._clock.now()
            await self._jobs.make_due(job, [delivery_id for _, delivery_id in found], now)
            await self._leases.mark_due([job.endpoint_id], now)
            self._dispatcher.wake()
            if not await self._jobs.note_cursor(job, found[-1]):
                return False
            job = replace(job, cursor=found[-1])
        return False

    async def _conclude(self, job: ReplayJob) -> None:
        if await self._jobs.has_pending(job):
            await self._jobs.look_again(job)
        else:
            await self._jobs.end(job)
