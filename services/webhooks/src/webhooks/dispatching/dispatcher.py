"""The dispatcher: endpoints that have something due get a lane, the longest overdue first."""

import asyncio
import contextlib
import time
from functools import partial
from typing import Final

import structlog

from domain.errors import StoreUnavailable
from domain.webhooks.endpoint import EndpointState
from webhooks.dispatching.lane import Lane, LaneParts

_log = structlog.get_logger(__name__)

POLL_S: Final = 0.5
"""Time after which a replica knows what another has made due, or changed."""
_LEAST_BETWEEN_S: Final = 0.02
_LEAST_BETWEEN_WATCHES_S: Final = 0.2
_RETRY_S: Final = 1.0


class Dispatcher:
    """Lanes of this replica: `run` until `stop`."""

    def __init__(self, parts: LaneParts, *, most_lanes: int) -> None:
        self._parts = parts
        self._most = most_lanes
        self._lanes: dict[str, Lane] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()
        self._watch_at = 0.0
        self._is_stopped = False

    def wake(self) -> None:
        """Look for what is due, or changed, now."""
        self._woken.set()

    def stop(self) -> None:
        """Begin no other attempt; `run` returns when those in flight have ended."""
        self._is_stopped = True
        self._woken.set()

    async def run(self) -> None:
        """Send what is due until stopped; when cancelled, end at once."""
        try:
            while not self._is_stopped:
                await self._look()
            for lane in self._lanes.values():
                lane.stop()
            await self._end()
        except asyncio.CancelledError:
            for task in self._tasks.values():
                task.cancel()
            await self._end()
            raise

    async def _look(self) -> None:
        self._woken.clear()
        try:
            await self._watch()
            await self._open_lanes()
        except StoreUnavailable as error:
            _log.warning("webhook_dispatcher_waits", error=str(error))
            await asyncio.sleep(_RETRY_S)
        # What comes within this time is found by one query.
        await asyncio.sleep(_LEAST_BETWEEN_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._woken.wait()

    async def _watch(self) -> None:
        """Tell the lanes what has changed: work, settings, a pause, another holder."""
        watched = dict(self._lanes)
        if not watched or time.monotonic() < self._watch_at:
            return
        self._watch_at = time.monotonic() + _LEAST_BETWEEN_WATCHES_S
        sightings = await self._parts.leases.sightings(list(watched))
        for endpoint_id, lane in watched.items():  # not those that were opened meanwhile
            lane.notice(sightings.get(endpoint_id))

    async def _open_lanes(self) -> None:
        now = self._parts.clock.now()
        found = await self._parts.leases.free(EndpointState.ACTIVE, now, limit=self._most)
        waiting = [each for each in found if each not in self._tasks]
        lanes = waiting[: self._most - len(self._tasks)]
        self._parts.load.is_crowded = len(lanes) < len(waiting)
        for endpoint_id in lanes:
            task = asyncio.create_task(self._run_lane(endpoint_id), name="webhook-lane")
            self._tasks[endpoint_id] = task
            task.add_done_callback(partial(self._close_lane, endpoint_id))
        self._parts.load.lanes = len(self._tasks)

    async def _run_lane(self, endpoint_id: str) -> None:
        lease = await self._parts.leases.acquire(endpoint_id, EndpointState.ACTIVE, self._parts.clock.now())
        if lease is None:
            return
        if self._is_stopped:
            await self._parts.leases.give_up(lease)
            return
        lane = self._lanes[endpoint_id] = Lane(self._parts, lease)
        await lane.run()

    def _close_lane(self, endpoint_id: str, task: asyncio.Task[None]) -> None:
        self._lanes.pop(endpoint_id, None)
        del self._tasks[endpoint_id]
        if self._parts.load.is_crowded:
            self.wake()
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, StoreUnavailable):
            _log.warning("webhook_lane_not_opened", error=str(error))
        else:
            _log.error("webhook_lane_failed", endpoint_id=endpoint_id, exc_info=error)

    async def _end(self) -> None:
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))
