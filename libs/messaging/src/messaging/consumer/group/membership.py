"""Membership in a consumer group: taking what is assigned, releasing what is revoked."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Generic

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition

from messaging.consumer.group.assignment import Assignment, W
from messaging.consumer.group.committing import OffsetCommitter

_log = structlog.get_logger(__name__)


class GroupMember(ConsumerRebalanceListener, Generic[W]):  # type: ignore[misc]  # aiokafka ships no types
    """A member of a group; aiokafka calls it at each rebalance, but not when the consumer is stopped.

    aiokafka only logs what a listener raises, so `failed` is called here.
    """

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        assignment: Assignment[W],
        committer: OffsetCommitter,
        *,
        drain_s: float,
        failed: Callable[[BaseException], None],
    ) -> None:
        """Create a member; it is none before it has joined.

        Args:
            consumer: joins the group.
            assignment: of this member.
            committer: commits before a partition is released.
            drain_s: how long the batches in flight may take then.
            failed: called with what a rebalance has raised.
        """
        self._consumer = consumer
        self._assignment = assignment
        self._committer = committer
        self._drain_s = drain_s
        self._failed = failed
        self._releasing = asyncio.Lock()

    def join(self, topic: str) -> None:
        """Join the group; done again, its leader reassigns the partitions."""
        self._consumer.subscribe([topic], listener=self)

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """See `ConsumerRebalanceListener`."""
        try:
            await self.release()
        except Exception as error:  # noqa: BLE001  # see the class
            self._failed(error)
        _log.info("partitions_revoked", partitions=sorted(p.partition for p in revoked))

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """See `ConsumerRebalanceListener`."""
        try:
            self._assignment.take(self._consumer, assigned)
        except Exception as error:  # noqa: BLE001  # see the class
            self._failed(error)

    async def release(self) -> None:
        """Finish the batches in flight within one deadline, commit what is done, drop the rest.

        Shutdown may coincide with a rebalance: the second call returns when the first is through.
        """
        async with self._releasing:
            released = self._assignment.release()
            try:
                await released.finish(self._drain_s)
            finally:
                await self._commit(released.workers)

    async def _commit(self, released: Mapping[TopicPartition, W]) -> None:
        await self._committer.commit(released)
        self._committer.forget()
