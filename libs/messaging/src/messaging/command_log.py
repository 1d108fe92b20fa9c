"""The log that all writes go to."""

from collections.abc import Sequence

from domain.commands import Command
from domain.errors import NotPublished
from messaging import wire
from messaging.producer import OutgoingRecord, ResilientProducer
from messaging.topics import Topics


class KafkaCommandLog:
    """`CommandLog` on Kafka: one record per command, keyed by tracking number.

    At most `max_in_flight` commands wait for their acknowledgement: with Kafka slow or gone, the next ones
    are turned away before memory grows.
    """

    def __init__(self, producer: ResilientProducer, topics: Topics, *, max_in_flight: int) -> None:
        self._producer = producer
        self._topic = topics.events
        self._max_in_flight = max_in_flight
        self._in_flight = 0

    async def append(
        self, commands: Sequence[Command], *, reply_to: str | None = None, traceparent: str | None = None
    ) -> None:
        """See `CommandLog.append`."""
        if self._in_flight + len(commands) > self._max_in_flight:
            raise NotPublished(f"{self._in_flight} commands wait for Kafka already")
        self._in_flight += len(commands)
        try:
            await self._producer.append(self._topic, _records(commands, reply_to, traceparent))
        finally:
            self._in_flight -= len(commands)


def _records(
    commands: Sequence[Command], reply_to: str | None, traceparent: str | None
) -> list[OutgoingRecord]:
    headers = [wire.CONTENT_TYPE_HEADER]
    if reply_to is not None:
        headers.append((wire.REPLY_TO, reply_to.encode()))
    if traceparent is not None:
        headers.append((wire.TRACEPARENT, traceparent.encode()))
    return [
        OutgoingRecord(command.tracking_number.encode(), wire.encode(command), headers)
        for command in commands
    ]
