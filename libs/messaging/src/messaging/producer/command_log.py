"""The log of all commands, on Kafka."""

from collections.abc import Sequence

from domain.errors import NotPublished
from domain.shipments.commands import Command
from messaging import codec
from messaging.producer.idempotent_producer import ResilientProducer
from messaging.producer.outgoing_record import OutgoingRecord
from messaging.topics import Topics


class KafkaCommandLog:
    """`CommandLog` on Kafka: one record per command, keyed by tracking number.

    At most `max_in_flight` commands, and `max_in_flight_bytes` of them, wait for their acknowledgement: with
    Kafka slow or unreachable, further ones are rejected before memory grows. Those of unknown outcome do not
    count: aiokafka holds two batches of a partition, no more, until Kafka has them.

    Attributes:
        in_flight: commands that wait now.
        in_flight_bytes: of these commands together.
        appended: commands acknowledged so far.
    """

    def __init__(
        self,
        producer: ResilientProducer,
        topics: Topics,
        *,
        max_in_flight: int,
        max_in_flight_bytes: int = 32 * 1024 * 1024,
    ) -> None:
        self._producer = producer
        self._topic = topics.events
        self._max_in_flight = max_in_flight
        self._max_in_flight_bytes = max_in_flight_bytes
        self.in_flight = 0
        self.in_flight_bytes = 0
        self.appended = 0

    async def append(
        self, commands: Sequence[Command], *, reply_to: str | None = None, traceparent: str | None = None
    ) -> None:
        """See `CommandLog.append`."""
        if self.in_flight + len(commands) > self._max_in_flight:
            raise NotPublished(f"{self.in_flight} commands wait for Kafka already")
        records = _records(commands, reply_to, traceparent)
        size = sum(len(record.value) for record in records)
        if self.in_flight_bytes + size > self._max_in_flight_bytes:
            raise NotPublished(f"{self.in_flight_bytes} bytes wait for Kafka already")
        self.in_flight += len(commands)
        self.in_flight_bytes += size
        try:
            await self._producer.append(self._topic, records)
            self.appended += len(commands)
        finally:
            self.in_flight -= len(commands)
            self.in_flight_bytes -= size


def _records(
    commands: Sequence[Command], reply_to: str | None, traceparent: str | None
) -> list[OutgoingRecord]:
    headers = [codec.CONTENT_TYPE_HEADER]
    if reply_to is not None:
        headers.append((codec.REPLY_TO, reply_to.encode()))
    if traceparent is not None:
        headers.append((codec.TRACEPARENT, traceparent.encode()))
    return [
        OutgoingRecord(command.tracking_number.encode(), codec.encode(command), headers)
        for command in commands
    ]
