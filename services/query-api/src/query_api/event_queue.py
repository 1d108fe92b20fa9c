"""Health of the path of events: `event_queue` of `/health`, for the whole system.

No processor is asked: one that is gone or frozen would not respond, and that is the case to detect. Applied
positions come from the fences in MongoDB, waiting records from the log, members from the consumer group.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import aiohttp
import structlog

from domain.errors import StoreUnavailable
from domain.ports.core import Clock
from domain.ports.partitions import PartitionControl
from httpkit.server.health import State

_REPLICA_TIMEOUT_S: Final = 1.0
_MEMBERS_POLL_S: Final = 5.0
_MISSING_MEMBERS_POLL_S: Final = 1.0

_log = structlog.get_logger(__name__)


class IngestApis:
    """Readiness of the replicas of ingest-api; without configured replicas there is no obstacle."""

    def __init__(self, session: aiohttp.ClientSession, upstreams: Sequence[str]) -> None:
        self._session = session
        self._upstreams = tuple(upstreams)

    async def obstacle(self) -> str | None:
        """Return why no replica accepts events; None if one is ready."""
        ready = await asyncio.gather(*(self._is_ready(each) for each in self._upstreams))
        return None if any(ready) or not ready else "no ingest-api is ready"

    async def _is_ready(self, upstream: str) -> bool:
        timeout = aiohttp.ClientTimeout(total=_REPLICA_TIMEOUT_S)
        try:
            async with self._session.get(f"http://{upstream}/health/ready", timeout=timeout) as response:
                return response.ok
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False


class TopicProbe(Protocol):
    """Probe of a topic; see `messaging.health.KafkaProbe`."""

    async def obstacle(self, topic: str) -> str | None:
        """Return what prevents appends to a topic; None if nothing does."""


class LogBacklog(Protocol):
    """Backlog of the log; see `messaging.backlog.Backlog`."""

    async def members(self) -> int:
        """Return how many members the group has now."""

    async def waiting(self, applied: Mapping[str, int], *, since: datetime) -> list[str]:
        """Return the partitions with a record from before `since` that is not applied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Sources of the health of the event queue: ingest-api, Kafka, backlog and partitions."""

    topic: str
    ingest: IngestApis
    probe: TopicProbe
    backlog: LogBacklog
    partitions: PartitionControl


class EventQueue:
    """Health check of the path of an event, from its acceptance until it is applied.

    Down: no ingest-api is ready; an append would wait for a broker that does not respond; a partition is
    halted; an event has waited longer than `limit_s`; the group has had no processor for as long. An idle
    system is ok. The problem is logged when it changes.
    """

    def __init__(
        self,
        watched: Watched,
        clock: Clock,
        *,
        limit_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watched = watched
        self._clock = clock
        self._limit_s = limit_s
        self._monotonic = monotonic
        self._problem: str | None = None
        self._members_polled_at = float("-inf")
        self._absent_since: float | None = monotonic()  # until the group has a member

    async def state(self) -> State:
        """Return the state; blocks for two seconds at most: its parts have their own deadlines."""
        accepting, applying = await asyncio.gather(self._not_accepted(), self._not_applied())
        problem = accepting or applying
        if problem != self._problem:
            self._problem = problem
            _log.warning("event_queue_changed", problem=problem)
        return State.OK if problem is None else State.DOWN

    async def _not_accepted(self) -> str | None:
        watched = self._watched
        not_ready, blocked = await asyncio.gather(
            watched.ingest.obstacle(), watched.probe.obstacle(watched.topic)
        )
        return not_ready or blocked

    async def _not_applied(self) -> str | None:
        try:
            views = await self._watched.partitions.partitions()
            halted = [view.name for view in views if view.halt is not None]
            if halted:
                return f"halted: partition {_listed(halted)}"
            since = self._clock.now() - timedelta(seconds=self._limit_s)
            applied = {view.name: view.next_offset for view in views}
            overdue, without_members = await asyncio.gather(
                self._watched.backlog.waiting(applied, since=since), self._without_members()
            )
        except StoreUnavailable as error:
            return f"unknown what is applied: {error}"
        if overdue:
            return f"events have waited longer than {self._limit_s:g} s in partition {_listed(overdue)}"
        return without_members

    async def _without_members(self) -> str | None:
        """Return a problem if the group has had no member for longer than the limit.

        Counted from when it was first seen empty, because it may have had members between two checks.
        """
        now = self._monotonic()
        is_there = self._absent_since is None
        poll_s = _MEMBERS_POLL_S if is_there else _MISSING_MEMBERS_POLL_S
        if now - self._members_polled_at >= poll_s:
            has_members = await self._watched.backlog.members() > 0
            self._members_polled_at = now
            if has_members:
                self._absent_since = None
            elif self._absent_since is None:
                self._absent_since = now
        absent_since = self._absent_since
        is_over = absent_since is not None and now - absent_since >= self._limit_s
        return f"no processor was seen for {self._limit_s:g} s" if is_over else None


def _listed(partitions: Sequence[str]) -> str:
    return ", ".join(partitions)
