"""The checker: the sent events against the log, and the log against MongoDB.

`violations` is pure. The log is folded by the rules of the domain, one record after the other: no batches, no
caches, no fences, no filter. MongoDB must say the same of every event and of every shipment, to the count.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from domain.processing.batch import Outcome
from domain.shipments.commands import (
    AmendShipment,
    Command,
    CreateShipment,
    Report,
    ReportCheckpoint,
    ReportStatus,
    RetractEvent,
)
from domain.shipments.event_identity import EventId
from domain.shipments.shipment import Rejected, Repeated, Shipment, StatusChanged, decide, evolve
from domain.shipments.status import Status, can_follow
from domain.shipments.tracking_number import TrackingNumber
from tests.support.observed import Document, Logged, Observed, ObservedDeadLetter, observe
from tests.support.published import wrong_dead_letters, wrong_messages

__all__ = ["Logged", "Observed", "ObservedDeadLetter", "Sent", "observe", "violations"]

MOST_CHECKPOINTS = 100


class Sent(NamedTuple):
    """Number of times an event was sent: `times` acknowledged, `unknown` more that may be in the log."""

    event_id: EventId
    times: int = 1
    unknown: int = 0


HOLD = timedelta(hours=24)
"""How long early events are held, unless a setting says otherwise."""
MOST_HELD = 8


@dataclass(slots=True)
class EventModel:
    """Expected result of an event by the rules; `held_until` is of one that waits for its predecessors."""

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
    held_until: datetime | None = None

    @property
    def has_been_applied(self) -> bool:
        """True if it is applied, or was until it was retracted."""
        return self.outcome is Outcome.APPLIED or self.reason == "RETRACTED"


@dataclass(slots=True)
class Model:
    """The log, folded; `waiting` has the held events of a shipment, in the order of the log."""

    hold: timedelta | None = HOLD
    waiting: dict[TrackingNumber, list[EventModel]] = field(default_factory=dict)
    story: dict[TrackingNumber, list[EventModel]] = field(default_factory=dict)

    shipments: dict[TrackingNumber, Shipment] = field(default_factory=dict)
    events: dict[EventId, EventModel] = field(default_factory=dict)
    parts: dict[TrackingNumber, dict[str, Any]] = field(default_factory=dict)
    last: dict[TrackingNumber, EventId] = field(default_factory=dict)
    passed: dict[TrackingNumber, list[tuple[EventId, str]]] = field(default_factory=dict)

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
        elif event is not None and event.held_until is not None and _is_same(event, record, command):
            event.attempts += 1
        elif event is None or not event.has_been_applied:
            self._judge(record, command, event or EventModel(command, record.fingerprint))
        elif event.fingerprint == record.fingerprint:
            event.duplicates += 1
        else:
            event.conflicts += 1

    def _judge(self, record: Logged, command: Command, event: EventModel) -> None:
        number = command.tracking_number
        shipment = self.shipments.get(number)
        self.events[command.event_id] = event
        event.attempts += 1
        event.command, event.fingerprint, event.offset = command, record.fingerprint, record.place[1]
        if isinstance(command, RetractEvent):
            self._retract(command, event)
            return
        decision = decide(shipment, command)
        if isinstance(decision, Rejected):
            event.outcome, event.reason = Outcome.REJECTED, decision.reason.value
            if shipment is not None and event.reason == "INVALID_TRANSITION":
                event.current_status = shipment.status.value
            else:
                event.current_status = None
            self._forget(number, command, [event])
            self._wait(event, command)
        elif not isinstance(decision, Repeated):
            self._apply(event, command, evolve(shipment, decision))
            self._describe(command)
            if isinstance(command, ReportCheckpoint):
                held = self.shipments[number].status.value
                self.passed.setdefault(number, []).append((command.event_id, held))
            if isinstance(command, ReportStatus):
                self._forget(number, command, [event])
                self._catch_up(number)
                status = self.shipments[number].status
                passed = [each for each in self._queue(number) if not _is_ahead(status, each.command)]
                self._forget(number, command, passed)

    def _retract(self, command: RetractEvent, event: EventModel) -> None:
        number, target = command.tracking_number, self.events.get(command.retracts)
        shipment, story = self.shipments.get(number), self.story.get(number, [])
        event.outcome, event.current_status = Outcome.REJECTED, None
        if shipment is None or target is None:
            event.reason = "EVENT_NOT_FOUND"
        elif command.reported_by is not None and not _may_retract(command, target.command):
            event.reason = "FORBIDDEN"
        elif len(story) == 1 or story[-1] is not target:
            event.reason = "NOT_THE_LATEST"
        else:
            story.pop()
            target.outcome, target.reason = Outcome.REJECTED, "RETRACTED"
            if isinstance(target.command, ReportCheckpoint):
                self.passed[number].pop()
                after = replace(shipment, checkpoints=shipment.checkpoints - 1)
            else:
                made = [each.command.status for each in story if isinstance(each.command, ReportStatus)]
                status = made[-1] if made else Status.CREATED
                after = replace(shipment, status=status, applied=shipment.applied[:-1])
            self._apply(event, command, replace(after, version=shipment.version + 1))
        if event.outcome is Outcome.REJECTED:
            self._forget(number, command, [])

    def _apply(self, event: EventModel, command: Command, after: Shipment) -> None:
        self.shipments[command.tracking_number] = after
        event.outcome, event.reason, event.version = Outcome.APPLIED, None, after.version
        event.current_status = None
        self.last[command.tracking_number] = command.event_id
        if not isinstance(command, AmendShipment | RetractEvent):
            self.story.setdefault(command.tracking_number, []).append(event)

    def _queue(self, number: TrackingNumber) -> list[EventModel]:
        return self.waiting.setdefault(number, [])

    def _forget(self, number: TrackingNumber, command: Command, others: list[EventModel]) -> None:
        """End the wait of some events, and of those that came too long before `command`."""
        for each in [*self._queue(number)]:
            expired = each.held_until is not None and each.held_until < command.received_at
            if expired or any(each is other for other in others):
                self._leave(number, each)

    def _leave(self, number: TrackingNumber, event: EventModel) -> None:
        event.held_until = None
        self.waiting[number] = [each for each in self._queue(number) if each is not event]

    def _wait(self, event: EventModel, command: Command) -> None:
        shipment = self.shipments.get(command.tracking_number)
        queue = self._queue(command.tracking_number)
        early = event.reason == "INVALID_TRANSITION" and shipment is not None and len(queue) < MOST_HELD
        if self.hold is not None and early and isinstance(command, ReportStatus):
            asks = command.on_behalf_of is not None or command.expected_versions is not None
            if shipment is not None and not asks and _is_ahead(shipment.status, command):
                event.held_until = command.received_at + self.hold
                queue.append(event)

    def _catch_up(self, number: TrackingNumber) -> None:
        """Apply the waiting events that are legal now, the first in the log first."""
        for event in self._queue(number):
            command, shipment = event.command, self.shipments[number]
            if isinstance(command, ReportStatus) and can_follow(shipment.status, command.status):
                event.attempts += 1
                self._apply(event, command, evolve(shipment, StatusChanged(command.event_id, command.status)))
                self._leave(number, event)
                return self._catch_up(number)
        return None

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


def _may_retract(command: RetractEvent, target: Command) -> bool:
    """Check the sender of a retraction against DESIGN section 15, written down a second time."""
    recent = command.received_at - target.received_at <= timedelta(hours=24)
    return command.reported_by == target.submitted_by and recent


def _is_same(event: EventModel, record: Logged, command: Command) -> bool:
    """Say whether a record repeats an event that waits: it must not have waited for too long."""
    in_time = event.held_until is not None and command.received_at <= event.held_until
    return in_time and event.fingerprint == record.fingerprint


def _is_ahead(status: Status, command: Command) -> bool:
    """Check a status that comes early against DESIGN section 6, written down a second time."""
    route = [Status.CREATED, Status.PICKED_UP, Status.IN_WAREHOUSE, Status.IN_TRANSIT, Status.DELIVERED]
    if status not in route or not isinstance(command, ReportStatus) or command.status not in route:
        return False
    return route.index(command.status) > route.index(status) + 1


def violations(
    observed: Observed, sent: Iterable[Sent] | None = None, *, hold: timedelta | None = HOLD
) -> list[str]:
    """Return every violation in words.

    Args:
        observed: what there is.
        sent: by the test; None to trust the log.
        hold: how long early events are held, None for not at all.
    """
    model = Model(hold)
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
        if document.get("held_until") != event.held_until:
            yield f"{event_id}: held_until is {document.get('held_until')!r}, not {event.held_until!r}"
        yield from (f"{event_id}: {fault}" for fault in _wrong_words(document, event.command))
    yield from (
        f"{event_id}: has an outcome, but is not in the log"
        for event_id in observed.events
        if event_id not in model.events
    )


def _about_shipments(model: Model, observed: Observed) -> Iterator[str]:
    for number, shipment in model.shipments.items():
        document = observed.shipments.get(number)
        waiting = [each.offset for each in model.waiting.get(number, [])]
        if (
            document is not None
            and (held := [each["offset"] for each in document.get("held", [])]) != waiting
        ):
            yield f"{number}: holds the records {held}, not {waiting}"
        if document is None:
            yield f"{number}: lost, it does not exist but should be {shipment.status}"
        else:
            last = observed.events.get(model.last[number], {})
            faults = [
                *_wrong_history(document, shipment),
                *_wrong_checkpoints(document, model.passed.get(number, [])),
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


def _wrong_checkpoints(document: Document, passed: list[tuple[EventId, str]]) -> Iterator[str]:
    """Compare the ring of a shipment: the n-th checkpoint is in slot n modulo 100."""
    ring = [(each["event_id"], each["status"]) for each in document.get("checkpoints", []) if each]
    expected = dict(sorted((index % MOST_CHECKPOINTS, each) for index, each in enumerate(passed)))
    if ring != list(expected.values()):
        yield f"has the checkpoints {ring}, not {list(expected.values())}"
    if document.get("checkpoint_count", 0) != len(passed):
        yield f"has passed {document.get('checkpoint_count')} checkpoints, not {len(passed)}"


def _wrong_state(
    document: Document, shipment: Shipment, model: Model, changed_at: datetime | None
) -> Iterator[str]:
    passed = [each for each in document.get("checkpoints", []) if each]
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
    for entry in [*document["status_history"], *passed]:
        if event := model.events.get(entry["event_id"]):
            yield from (
                f"{entry['event_id']}: in the history, {fault}"
                for fault in _wrong_words(entry, event.command)
            )


def _wrong_words(document: Document, command: Command) -> Iterator[str]:
    said: dict[str, Any] = {"status": Status.CREATED.value, "source": "api", "location": None, "notes": None}
    if isinstance(command, ReportStatus):
        said = {name: getattr(command, name) for name in said}
    elif isinstance(command, ReportCheckpoint):
        del said["status"]  # the shipment's at that moment
        said = {name: getattr(command, name) for name in ("checkpoint", *said)}
    elif isinstance(command, AmendShipment):
        del said["status"]  # the shipment's at that moment
        said["changes"] = command.changes
    elif isinstance(command, RetractEvent):
        del said["status"]  # as above
        said["retraction"] = {"event_id": command.retracts, "reason": command.reason}
    said["timestamp"] = command.timestamp
    for name, value in said.items():
        if document[name] != value:
            yield f"{name} is {document[name]!r}, not {value!r}"
    for name in ("utc_offset", "signed_by"):
        value = getattr(command, name) if isinstance(command, Report) else None
        if document.get(name) != value:
            yield f"{name} is {document.get(name)!r}, not {value!r}"
