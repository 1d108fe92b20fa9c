"""The derived topics: applied changes, published after their transaction."""

from collections.abc import Callable, Sequence
from typing import Final

from domain.processing.batch import Verdict
from domain.shipments.commands import Command, CreateShipment, Report, ReportStatus
from domain.shipments.status import Status
from messaging.change_codec import encode_change
from messaging.codec import CONTENT_TYPE_HEADER
from messaging.producer.idempotent_producer import ResilientProducer
from messaging.producer.outgoing_record import OutgoingRecord
from messaging.topics import Topics

Rule = Callable[[Command], bool]


def _is_creation(command: Command) -> bool:
    return isinstance(command, CreateShipment)


def _is_delivery(command: Command) -> bool:
    return isinstance(command, ReportStatus) and command.status is Status.DELIVERED


def _has_location(command: Command) -> bool:
    return isinstance(command, Report) and command.location is not None


def _any(_command: Command) -> bool:
    return True


class KafkaChangeFeed:
    """`ChangeFeed` on Kafka: one message per applied event, in each topic whose rule it meets."""

    def __init__(self, producer: ResilientProducer, topics: Topics) -> None:
        self._producer = producer
        self._rules: Final[tuple[tuple[str, Rule], ...]] = (
            (topics.changes, _any),
            (topics.created, _is_creation),
            (topics.delivered, _is_delivery),
            (topics.location, _has_location),
        )

    async def publish(self, verdicts: Sequence[Verdict]) -> None:
        """See `ChangeFeed.publish`."""
        outgoing: dict[str, Sequence[OutgoingRecord]] = {}
        applied = [
            (verdict.consumed.command, message) for verdict in verdicts if (message := _message(verdict))
        ]
        for topic, rule in self._rules:
            records = [message for command, message in applied if rule(command)]
            if records:
                outgoing[topic] = records
        if outgoing:
            await self._producer.append_all(outgoing)


def _message(verdict: Verdict) -> OutgoingRecord | None:
    record = verdict.event
    if record is None or not verdict.is_published:
        return None
    command = verdict.consumed.command
    return OutgoingRecord(
        command.tracking_number.encode(), encode_change(command, record), [CONTENT_TYPE_HEADER]
    )
