"""The checker: the sent events against the log, and the log against MongoDB.

`violations` is pure. The log is folded by the rules of the domain, one record after the other: no batches, no
caches, no fences, no filter. MongoDB must say the same of every event and of every shipment, to the count.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from domain.processing.batch import Outcome
from domain.shipments.commands import AmendShipment, Command, CreateShipment, ReportStatus
from domain.shipments.event_identity import EventId
from domain.shipments.shipment import Rejected, Repeated, Shipment, decide, evolve
from domain.shipments.status import Status, can_follow
from domain.shipments.tracking_number import TrackingNumber
from tests.support.observed import Document, Logged, Observed, ObservedDeadLetter, observe
from tests.support.published import wrong_dead_letters, wrong_messages

__all__ = ["Logged", "Observed", "ObservedDeadLetter", "Sent", "observe", "violations"]


class Sent(NamedTuple):
    """Number of times an event was sent: `times` acknowledged, `unknown` more that may be in the log."""

    event_id: EventId
    times: int = 1
    unknown: int = 0


@dataclass(slots=True)
class EventModel:
    """Expected result of an event by the rules."""

    command: Command
    fingerprint: str
    outcome: Outcome = Outcome.DEAD
    reason: str | None = None
    version: int | None = None
    attempts: int = 0
    duplicates: int = 0
    conflicts: int = 0
    offset: int = 0
    current_status: str | None = None


@dataclass(slots=True)
class Model:
    """The log, folded."""

    shipments: dict[TrackingNumber, Shipment] = field(default_factory=dict)
    events: dict[EventId, EventModel] = field(default_factory=dict)
    parts: dict[TrackingNumber, dict[str, Any]] = field(default_factory=dict)
    last: dict[TrackingNumber, EventId] = field(default_factory=dict)

    def take(self, record: Logged, error: str | None) -> None:
        """Fold the next record; `error` is that of its dead letter, if it has one."""
        command = record.command
        if command is None:
            return
        event = self.events.get(command.event_id)
        if error is not None:
            self.events.setdefault(
                command.event_id,
                EventModel(command, record.fingerprint, reason=error, attempts=1, offset=record.place[1]),
            )
        elif event is None or event.outcome is not Outcome.APPLIED:
            self._judge(record, command, event or EventModel(command, record.fingerprint))
        elif event.fingerprint == record.fingerprint:
            event.duplicates += 1
        else:
            event.conflicts += 1

    def _judge(self, record: Logged, command: Command, event: EventModel) -> None:
        shipment = self.shipments.get(command.tracking_number)
        decision = decide(shipment, command)
        self.events[command.event_id] = event
        event.command = command
        event.attempts += 1
        event.command, event.fingerprint, event.offset = command, record.fingerprint, record.place[1]
        if isinstance(decision, Rejected):
            event.outcome, event.reason = Outcome.REJECTED, decision.reason.value
            if shipment is not None and event.reason == "INVALID_TRANSITION":
                event.current_status = shipment.status.value
            else:
                event.current_status = None
        elif not isinstance(decision, Repeated):
            after = self.shipments[command.tracking_number] = evolve(shipment, decision)
            event.outcome, event.reason, event.version = Outcome.APPLIED, None, after.version
            event.current_status = None
            self.last[command.tracking_number] = command.event_id
            self._describe(command)

    def _describe(self, command: Command) -> None:
        """Retain the description of a shipment: as created, with amendments merged into it."""
        if isinstance(command, CreateShipment):
            said = {"origin": command.origin, "destination": command.destination, "package": command.package}
            self.parts[command.tracking_number] = {
                **{name: {**part} for name, part in said.items()},
                "reference": command.reference,
                "estimated_delivery": command.estimated_delivery,
            }
        elif isinstance(command, AmendShipment):
            changes: Mapping[str, Any] = {**command.changes}
            for name, members in changes.items():
                if name in ("reference", "estimated_delivery"):
                    self.parts[command.tracking_number][name] = members
                    continue
                part = self.parts[command.tracking_number][name]
                sides = {**part.get("dimensions", {}), **members.get("dimensions", {})}
                made = {**part, **members, "dimensions": sides}
                self.parts[command.tracking_number][name] = made if sides else {**part, **members}


def violations(observed: Observed, sent: Iterable[Sent] | None = None) -> list[str]:
    """Return every violation in words; without `sent`, the log is trusted."""
    model = Model()
    dead = {dead_letter.place: dead_letter.error for dead_letter in observed.dead_letters}
    for record in observed.log:
        model.take(record, dead.get(record.place))
    found = list(_about_the_log(observed, sent)) if sent is not None else []
    found += wrong_dead_letters(observed)
    found += _about_events(model, observed)
    found += _about_shipments(model, observed)
    if observed.published is not None:
        found += wrong_messages(model.events, observed.published)
    return found


def _about_the_log(observed: Observed, sent: Iterable[Sent]) -> Iterator[str]:
    counts = Counter(record.command.event_id for record in observed.log if record.command is not None)
    for event_id, times, unknown in sent:
        count = counts.pop(event_id, 0)
        if not times <= count <= times + unknown:
            expected = f"{times}" if not unknown else f"{times} to {times + unknown}"
            yield f"{event_id}: sent {expected} times, but {count} times in the log"
    yield from (f"{event_id}: in the log, but nobody sent it" for event_id in counts)


def _about_events(model: Model, observed: Observed) -> Iterator[str]:
    for event_id, event in model.events.items():
        document = observed.events.get(event_id)
        if document is None:
            yield f"{event_id}: lost, it has no outcome but should be {event.outcome}"
            continue
        for name in ("outcome", "reason", "version", "attempts", "duplicates", "conflicts", "offset"):
            if document[name] != getattr(event, name):
                yield f"{event_id}: {name} is {document[name]!r}, not {getattr(event, name)!r}"
        if document.get("current_status") != event.current_status:
            yield f"{event_id}: rejected at {document.get('current_status')}, not {event.current_status}"
        yield from (f"{event_id}: {fault}" for fault in _wrong_words(document, event.command))
    yield from (
        f"{event_id}: has an outcome, but is not in the log"
        for event_id in observed.events
        if event_id not in model.events
    )


def _about_shipments(model: Model, observed: Observed) -> Iterator[str]:
    for number, shipment in model.shipments.items():
        document = observed.shipments.get(number)
        if document is None:
            yield f"{number}: lost, it does not exist but should be {shipment.status}"
        else:
            last = observed.events.get(model.last[number], {})
            faults = [
                *_wrong_history(document, shipment),
                *_wrong_state(document, shipment, model, last.get("recorded_at")),
            ]
            yield from (f"{number}: {fault}" for fault in faults)
    yield from (
        f"{number}: exists, but nobody created it"
        for number in observed.shipments
        if number not in model.shipments
    )


def _wrong_history(document: Document, shipment: Shipment) -> Iterator[str]:
    ids = [entry["event_id"] for entry in document["status_history"]]
    statuses = [Status(entry["status"]) for entry in document["status_history"]]
    yield from (f"{event_id} applied {count} times" for event_id, count in Counter(ids).items() if count > 1)
    yield from (f"{event_id} lost from the history" for event_id in shipment.applied if event_id not in ids)
    yield from (
        f"{event_id} applied, but must not be" for event_id in ids if event_id not in shipment.applied
    )
    if sorted(ids) == sorted(shipment.applied) and ids != list(shipment.applied):
        yield f"history in disorder: {', '.join(statuses)}"
    if statuses[:1] != [Status.CREATED] or not all(can_follow(*step) for step in pairwise(statuses)):
        yield f"illegal walk: {', '.join(statuses)}"


def _wrong_state(
    document: Document, shipment: Shipment, model: Model, changed_at: datetime | None
) -> Iterator[str]:
    history = document["status_history"]
    expected = {
        **model.parts[shipment.tracking_number],
        "client_id": shipment.client_id,
        "current_status": shipment.status.value,
        "version": shipment.version,
        "updated_at": changed_at,
    }
    for name, value in expected.items():
        if document.get(name) != value:
            yield f"{name} is {document.get(name)!r}, not {value!r}"
    for entry in history:
        if event := model.events.get(entry["event_id"]):
            yield from (
                f"{entry['event_id']}: in the history, {fault}"
                for fault in _wrong_words(entry, event.command)
            )


def _wrong_words(document: Document, command: Command) -> Iterator[str]:
    said: dict[str, Any] = {"status": Status.CREATED.value, "source": "api", "location": None, "notes": None}
    if isinstance(command, ReportStatus):
        said = {name: getattr(command, name) for name in said}
    elif isinstance(command, AmendShipment):
        del said["status"]  # the shipment's at that moment
        said["changes"] = command.changes
    said["timestamp"] = command.timestamp
    for name, value in said.items():
        if document[name] != value:
            yield f"{name} is {document[name]!r}, not {value!r}"
    for name in ("utc_offset", "signed_by"):
        value = getattr(command, name) if isinstance(command, ReportStatus) else None
        if document.get(name) != value:
            yield f"{name} is {document.get(name)!r}, not {value!r}"
