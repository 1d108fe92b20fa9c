"""What is told beside MongoDB must be true: each change at least once, always alike; dead letters intact."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from domain.processing.batch import Outcome
from domain.shipments.commands import Command, CreateShipment, ReportStatus
from domain.shipments.event_identity import EventId
from domain.shipments.status import Status
from messaging.topics import Topics
from tests.support.observed import Observed, Told


class Applied(Protocol):
    """What the rules make of an event."""

    @property
    def command(self) -> Command: ...
    @property
    def outcome(self) -> Outcome: ...
    @property
    def version(self) -> int | None: ...


def wrong_letters(observed: Observed) -> Iterator[str]:
    """Say which dead letters are missing, of nothing, or not what died."""
    logged = {record.place: record for record in observed.log}
    for letter in observed.letters:
        record = logged.get(letter.place)
        if record is None:
            yield f"dead letter of {letter.place}: there is no such record in the log"
        elif record.digest != letter.digest:
            yield f"dead letter of {letter.place}: not the bytes that died"
    buried = {letter.place for letter in observed.letters}
    for record in observed.log:
        if record.command is None and record.place not in buried:
            yield f"record {record.place}: cannot be read, but is no dead letter"


def wrong_messages(events: Mapping[EventId, Applied], told: Mapping[str, Sequence[Told]]) -> Iterator[str]:
    """Say where the derived topics do not tell of all that was applied, or of anything else."""
    for topic, messages in told.items():
        expected = {
            event_id: event
            for event_id, event in events.items()
            if event.outcome is Outcome.APPLIED and _belongs(topic, event.command)
        }
        by_id: dict[str, set[bytes]] = {}
        for message in messages:
            by_id.setdefault(message.event_id, set()).add(message.digest)
            event = expected.get(EventId(message.event_id))
            if event is None:
                yield f"{message.event_id}: told on {topic}, but must not be"
            elif (message.version, message.tracking_number) != (event.version, event.command.tracking_number):
                yield f"{message.event_id}: told on {topic} as version {message.version}, not {event.version}"
        yield from (f"{each}: applied, but not told on {topic}" for each in expected if each not in by_id)
        yield from (
            f"{each}: told on {topic} in {len(digests)} ways"
            for each, digests in by_id.items()
            if len(digests) > 1
        )


def _belongs(topic: str, command: Command) -> bool:
    """DESIGN section 4, written down a second time."""
    names = Topics()
    if topic == names.changes:
        return True
    if topic == names.created:
        return isinstance(command, CreateShipment)
    if topic == names.delivered:
        return isinstance(command, ReportStatus) and command.status is Status.DELIVERED
    return isinstance(command, ReportStatus) and command.location is not None
