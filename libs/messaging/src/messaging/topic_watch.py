"""Watch of the consumed topic: that it is the same one, complete, and that all partitions are owned.

aiokafka refreshes metadata every five minutes and knows topics by name. A topic that was re-created within
that time is read from the old offsets; one that was away leaves an empty assignment behind, which a member
with a static id gets back from the group after every restart.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import KafkaError

from messaging.settings import KafkaSettings
from messaging.topic_ids import TopicRequest, TopicState, state_in
from messaging.topics import mismatch

EVERY_S: Final = 2.0
REJOIN_EVERY_S: Final = 10.0
"""Longer than a rebalance takes, and than the maximum age of metadata."""
_RESPONSE_TIMEOUT_S: Final = 5.0

_log = structlog.get_logger(__name__)


class TopicWatch:
    """A regular check of a topic, on a separate connection.

    Attributes:
        problem: why the topic cannot be consumed; None: it can, as far as is known.
        exists: the topic existed at the last check.
        is_whole: each partition had an owner in the group at the last check without a partition here.
    """

    def __init__(
        self, settings: KafkaSettings, topic: str, group: str, *, any_partitions: bool = False
    ) -> None:
        """Create a watch; `run` starts it.

        Args:
            settings: of the connection.
            topic: to watch.
            group: that consumes it.
            any_partitions: the topic may have another number of partitions than the settings declare.
        """
        self.problem: str | None = None
        self.exists = True
        self.is_whole = False
        self._settings = settings
        self._topic = topic
        self._group = group
        self._any_partitions = any_partitions
        self._expected = settings.partitions
        self._id: bytes | None = None
        self._rejoin_at = 0.0

    async def first_problem(self) -> str | None:
        """Check once; return the problem that forbids consuming the topic, though it exists."""
        with contextlib.suppress(KafkaError, OSError, TimeoutError):
            async with self._connected() as client:
                self._judge(await self._ask(client))
        return self.problem if self.exists else None

    async def is_another(self) -> bool | None:
        """Check once more; return whether the topic was re-created, None where that is unknown."""
        try:
            async with self._connected() as client:
                state = await self._ask(client)
        except (KafkaError, OSError, TimeoutError):
            return None
        is_another = self._judge(state)
        return None if state is None or not self.exists else is_another

    async def run(
        self, *, holds_any: Callable[[], bool], changed: Callable[[], None], rejoin: Callable[[], None]
    ) -> None:
        """Check until cancelled.

        Args:
            holds_any: says whether this process has partitions.
            changed: called when the topic was re-created: nothing that was read of it counts.
            rejoin: called when this process has no partition while the topic has some without an owner.
        """
        while True:
            try:
                async with self._connected() as client:
                    while True:
                        await asyncio.sleep(EVERY_S)
                        if self._judge(await self._ask(client)):
                            changed()
                        await self._check_unowned(holds_any, rejoin)
            except (KafkaError, OSError, TimeoutError) as error:
                _log.warning("topic_not_seen", topic=self._topic, error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(EVERY_S)

    async def _check_unowned(self, holds_any: Callable[[], bool], rejoin: Callable[[], None]) -> None:
        if holds_any():
            self.is_whole = False  # not known: it is checked when this process has none again
            return
        owned = await self._owned()
        self.is_whole = owned is not None and owned >= self._expected
        if owned is None or self.is_whole or self.problem is not None or time.monotonic() < self._rejoin_at:
            return
        _log.warning("partitions_unowned", topic=self._topic)
        self._rejoin_at = time.monotonic() + REJOIN_EVERY_S
        rejoin()

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[AIOKafkaClient]:
        client = AIOKafkaClient(
            **self._settings.connection(), request_timeout_ms=int(_RESPONSE_TIMEOUT_S * 1000)
        )
        try:
            async with asyncio.timeout(_RESPONSE_TIMEOUT_S):
                await client.bootstrap()
            yield client
        finally:
            await client.close()

    async def _ask(self, client: AIOKafkaClient) -> TopicState | None:
        async with asyncio.timeout(_RESPONSE_TIMEOUT_S):
            response = await client.send(client.get_random_node(), TopicRequest(self._topic))
            return state_in(response)

    def _judge(self, state: TopicState | None) -> bool:
        """Record the state of the topic; return whether it was re-created."""
        if state is None:
            return False
        before = self.problem
        self.exists = state.partitions > 0
        if not self.exists:
            self.problem = f"topic {self._topic} does not exist"
        elif self._any_partitions:
            self.problem, self._expected = None, state.partitions
        else:
            self.problem = mismatch(self._topic, state.partitions, self._settings)
        if self.problem is not None and self.problem != before:
            _log.error("topic_unusable", topic=self._topic, problem=self.problem)
        if not self.exists or state.id == self._id:
            return False
        is_another = self._id is not None
        self._id = state.id
        if is_another:
            _log.error("topic_recreated", topic=self._topic)
        return is_another

    async def _owned(self) -> int | None:
        """Return how many partitions the members of the group own; None during a rebalance."""
        admin = AIOKafkaAdminClient(
            **self._settings.connection(), request_timeout_ms=int(_RESPONSE_TIMEOUT_S * 1000)
        )
        try:
            await admin.start()
            [response] = await admin.describe_consumer_groups([self._group])
        finally:
            await admin.close()
        error, _, state, _, _, members, *_ = response.groups[0]
        if error or state != "Stable":
            return None
        owned = {number for member in members for number in self._partitions(member[-1])}
        return len(owned)

    def _partitions(self, assignment: bytes) -> list[int]:
        if not assignment:
            return []
        decoded = ConsumerProtocolMemberAssignment.decode(assignment)
        assigned = [numbers for topic, numbers in decoded.assignment if topic == self._topic]
        return [number for numbers in assigned for number in numbers]
