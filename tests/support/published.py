"""Checks of the published topics: each change at least once, always alike; dead letters intact."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from domain.shipments.commands import Command, CreateShipment, Report, ReportStatus
from domain.shipments.event_identity import EventId
from domain.shipments.status import Status
from messaging.topics import Topics
from tests.support.observed import Observed, PublishedMessage


class Applied(Protocol):
    """Expected change of an event by the rules."""

    @property
    def command(self) -> Command: ...
    @property
    def has_been_applied(self) -> bool: ...
    @property
    def version(self) -> int | None: ...


def wrong_dead_letters(observed: Observed) -> Iterator[str]:
    """Return the dead letters that are missing, unfounded, or differ from their records."""
    logged = {record.place: record for record in observed.log}
    for dead_letter in observed.dead_letters:
        record = logged.get(dead_letter.place)
        if record is None:
            yield f"dead letter of {dead_letter.place}: no such record in the log"
        elif record.digest != dead_letter.digest:
            yield f"dead letter of {dead_letter.place}: not the original bytes"
    dead_lettered = {dead_letter.place for dead_letter in observed.dead_letters}
    for record in observed.log:
        if record.command is None and record.place not in dead_lettered:
            yield f"record {record.place}: cannot be decoded, but is no dead letter"


def wrong_messages(
    events: Mapping[EventId, Applied], published: Mapping[str, Sequence[PublishedMessage]]
) -> Iterator[str]:
    """Return where the derived topics differ from the applied events."""
    for topic, messages in published.items():
        expected = {
            event_id: event
            for event_id, event in events.items()
            if event.has_been_applied and _belongs(topic, event.command)
        }
        by_id: dict[str, set[bytes]] = {}
        for message in messages:
            by_id.setdefault(message.event_id, set()).add(message.digest)
            event = expected.get(EventId(message.event_id))
            if event is None:
                yield f"{message.event_id}: published on {topic}, but must not be"
            elif (message.version, message.tracking_number) != (event.version, event.command.tracking_number):
                yield f"{message.event_id}: version {message.version} on {topic}, not {event.version}"
        yield from (
            f"{each}: applied, but not published on {topic}" for each in expected if each not in by_id
        )
        yield from (
            f"{each}: published on {topic} in {len(digests)} ways"
            for each, digests in by_id.items()
            if len(digests) > 1
        )
        if topic == Topics().changes:
            yield from _broken_chains(messages)


def _broken_chains(messages: Sequence[PublishedMessage]) -> Iterator[str]:
    """Yield where the status before a change is not the one after the change before it."""
    made = {(each.tracking_number, each.version): each.statuses for each in messages}
    for (number, version), (before, _) in made.items():
        _, last = made.get((number, version - 1), (None, None))
        if before != last:
            yield f"{number}: version {version} has the previous status {before}, not {last}"


def _belongs(topic: str, command: Command) -> bool:
    """Check a message against DESIGN section 4, written down a second time."""
    names = Topics()
    if topic == names.changes:
        return True
    if topic == names.created:
        return isinstance(command, CreateShipment)
    if topic == names.delivered:
        return isinstance(command, ReportStatus) and command.status is Status.DELIVERED
    return isinstance(command, Report) and command.location is not None
