"""Whether events are accepted and applied: `event_queue` of `/health`, for the whole system.

Nothing here asks a processor: that one which is gone or frozen says nothing is the case to be found. What is
applied stands in the fences in MongoDB, what is not in the log, who works on it in the consumer group.
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

_REPLICA_ANSWERS_WITHIN_S: Final = 1.0
_ASK_FOR_MEMBERS_EVERY_S: Final = 5.0
_ASK_WHETHER_THEY_ARE_BACK_EVERY_S: Final = 1.0

_log = structlog.get_logger(__name__)


class IngestApis:
    """The replicas of ingest-api; with none known, nobody is asked and nothing speaks against them."""

    def __init__(self, session: aiohttp.ClientSession, upstreams: Sequence[str]) -> None:
        self._session = session
        self._upstreams = tuple(upstreams)

    async def obstacle(self) -> str | None:
        """Return why no replica takes events, None if one is ready."""
        answers = await asyncio.gather(*(self._is_ready(each) for each in self._upstreams))
        return None if any(answers) or not answers else "no ingest-api is ready"

    async def _is_ready(self, upstream: str) -> bool:
        timeout = aiohttp.ClientTimeout(total=_REPLICA_ANSWERS_WITHIN_S)
        try:
            async with self._session.get(f"http://{upstream}/health/ready", timeout=timeout) as answer:
                return answer.ok
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False


class TopicProbe(Protocol):
    """See `messaging.health.KafkaProbe`."""

    async def obstacle(self, topic: str) -> str | None:
        """Return what keeps records from being appended to a topic."""


class TopicBacklog(Protocol):
    """See `messaging.backlog.Backlog`."""

    async def members(self) -> int:
        """Return how many members the group has now."""

    async def waiting(self, applied: Mapping[int, int], *, since: datetime) -> list[int]:
        """Return the partitions with a record from before `since` that is not applied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What tells how events fare: who takes them, where they wait, and how far they are applied."""

    topic: str
    ingest: IngestApis
    probe: TopicProbe
    backlog: TopicBacklog
    line: PartitionControl


class EventQueue:
    """Judges the way of an event from its acceptance to its being applied.

    Not ok: no ingest-api is ready; an append would wait for a broker that does not answer; a partition is
    halted; an event has waited longer than `limit_s`; no processor is in the group for as long. An idle
    system is ok. What is wrong is logged when it changes.
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
        self._asked_for_members_at = float("-inf")
        self._absent_since: float | None = monotonic()  # until the group is seen to have a member

    async def state(self) -> State:
        """Return how it is; blocks for two seconds at most, for its parts have deadlines of their own."""
        accepting, applying = await asyncio.gather(self._not_accepted(), self._not_applied())
        problem = accepting or applying
        if problem != self._problem:
            self._problem = problem
            _log.warning("event_queue_changed", problem=problem)
        return State.OK if problem is None else State.DOWN

    async def _not_accepted(self) -> str | None:
        watched = self._watched
        refused, stuck = await asyncio.gather(
            watched.ingest.obstacle(), watched.probe.obstacle(watched.topic)
        )
        return refused or stuck

    async def _not_applied(self) -> str | None:
        try:
            views = await self._watched.line.partitions()
            halted = [view.number for view in views if view.halt is not None]
            if halted:
                return f"halted: partition {_listed(halted)}"
            since = self._clock.now() - timedelta(seconds=self._limit_s)
            applied = {view.number: view.next_offset for view in views}
            overdue, deserted = await asyncio.gather(
                self._watched.backlog.waiting(applied, since=since), self._deserted()
            )
        except StoreUnavailable as error:
            return f"unknown what is applied: {error}"
        if overdue:
            return f"events have waited longer than {self._limit_s:g} s in partition {_listed(overdue)}"
        return deserted

    async def _deserted(self) -> str | None:
        """Say that the group has had no member for longer than the limit.

        Counted from when it was first found empty, for it may have had some while nobody looked.
        """
        now = self._monotonic()
        is_there = self._absent_since is None
        every_s = _ASK_FOR_MEMBERS_EVERY_S if is_there else _ASK_WHETHER_THEY_ARE_BACK_EVERY_S
        if now - self._asked_for_members_at >= every_s:
            has_members = await self._watched.backlog.members() > 0
            self._asked_for_members_at = now
            if has_members:
                self._absent_since = None
            elif self._absent_since is None:
                self._absent_since = now
        absent_since = self._absent_since
        is_over = absent_since is not None and now - absent_since >= self._limit_s
        return f"no processor was seen for {self._limit_s:g} s" if is_over else None


def _listed(partitions: Sequence[int]) -> str:
    return ", ".join(str(each) for each in partitions)
