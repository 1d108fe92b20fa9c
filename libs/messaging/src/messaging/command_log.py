"""The log that all writes go to."""

from collections.abc import Sequence

from domain.commands import Command
from messaging import wire
from messaging.producer import OutgoingRecord, ResilientProducer
from messaging.topics import Topics


class KafkaCommandLog:
    """`CommandLog` on Kafka: one record per command, keyed by tracking number."""

    def __init__(self, producer: ResilientProducer, topics: Topics) -> None:
        self._producer = producer
        self._topic = topics.events

    async def append(
        self, commands: Sequence[Command], *, reply_to: str | None = None, traceparent: str | None = None
    ) -> None:
        """See `CommandLog.append`."""
        headers = [wire.CONTENT_TYPE_HEADER]
        if reply_to is not None:
            headers.append((wire.REPLY_TO, reply_to.encode()))
        if traceparent is not None:
            headers.append((wire.TRACEPARENT, traceparent.encode()))
        records = [
            OutgoingRecord(command.tracking_number.encode(), wire.encode(command), headers)
            for command in commands
        ]
        await self._producer.append(self._topic, records)
