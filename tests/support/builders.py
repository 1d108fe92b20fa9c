"""Builders of domain objects for tests, with a sensible default for every field."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from domain.ports.core import Document, EndOffset
from domain.processing.batch import ConsumedCommand, EventRecord, Known, Outcome, Plan, by_shipment
from domain.processing.dead_letter import DeadLetterState
from domain.processing.judging import judge
from domain.shipments.commands import (
    DESCRIBED,
    OBSERVED,
    AmendShipment,
    Command,
    CreateShipment,
    Place,
    ReportCheckpoint,
    ReportStatus,
    RetractEvent,
    ShipmentChanges,
    put_given,
)
from domain.shipments.event_identity import (
    API_SOURCE,
    creation_event_id,
    event_id,
    fingerprint,
    retraction_event_id,
)
from domain.shipments.rejection import RejectionReason
from domain.shipments.retraction import HistoryEntry
from domain.shipments.shipment import Rejected, Repeated, Shipment, decide, evolve
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber, tracking_number_from
from messaging.log.generations import Generation, LogPartition

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RECORDED_AT = NOON + timedelta(hours=1)
BOGOTA: Place = {"address": "Calle 26 #59-41, Bogotá", "coordinates": {"lat": 4.6482, "lng": -74.1025}}
LIMA: Place = {"address": "Av. Arequipa 1250, Lima", "coordinates": {"lat": -12.0776, "lng": -77.0357}}

ROUTE = (Status.PICKED_UP, Status.IN_WAREHOUSE, Status.IN_TRANSIT, Status.DELIVERED)
"""The statuses of a shipment that arrives, after its creation."""


def ends_at(offset: int) -> EndOffset:
    """Return the end of the log in a partition."""

    async def end_offset() -> int:
        return offset

    return end_offset


@dataclass
class MemoryPosition:
    """`LogPosition` of records that a test passes itself; records every requested position."""

    end: int
    next: int = 0
    sought: list[int] = field(default_factory=list)

    async def end_offset(self) -> int:
        return self.end

    async def next_offset(self) -> int:
        return self.next

    def seek(self, offset: int) -> None:
        self.next = offset
        self.sought.append(offset)


def number(index: int) -> TrackingNumber:
    """Return the tracking number with this index; another index, another number."""
    return tracking_number_from(index.to_bytes(7, "big"))


NUMBER = number(1)


def creation(
    tracking_number: TrackingNumber = NUMBER,
    *,
    client_id: str = "client_001",
    at: datetime = NOON,
    weight_kg: float = 2.5,
    request_key: str | None = None,
) -> CreateShipment:
    """Return the command that creates a shipment."""
    return CreateShipment(
        event_id=creation_event_id(tracking_number),
        tracking_number=tracking_number,
        client_id=client_id,
        origin=BOGOTA,
        destination=LIMA,
        package={"weight_kg": weight_kg},
        timestamp=at,
        received_at=at,
        submitted_by="client_user_001",
        request_key=request_key,
    )


def report(
    status: Status,
    tracking_number: TrackingNumber = NUMBER,
    *,
    at: datetime | None = None,
    source: str = "scanner-1",
    notes: str | None = None,
    on_behalf_of: str | None = None,
) -> ReportStatus:
    """Return the command that reports a status; without `at`, an instant of that status's own."""
    instant = at or NOON + timedelta(minutes=1 + list(Status).index(status))
    return ReportStatus(
        event_id=event_id(tracking_number, instant, source),
        tracking_number=tracking_number,
        status=status,
        timestamp=instant,
        source=source,
        received_at=instant + timedelta(seconds=2),
        submitted_by="driver_user_001",
        notes=notes,
        on_behalf_of=on_behalf_of,
    )


def checkpoint(
    code: str = "arrived_at_hub",
    tracking_number: TrackingNumber = NUMBER,
    *,
    at: datetime = NOON + timedelta(hours=6),
    source: str = "hub-1",
    notes: str | None = None,
) -> ReportCheckpoint:
    """Return the command that reports a checkpoint."""
    return ReportCheckpoint(
        event_id=event_id(tracking_number, at, source),
        tracking_number=tracking_number,
        checkpoint=code,
        timestamp=at,
        source=source,
        received_at=at + timedelta(seconds=2),
        submitted_by="driver_user_001",
        location={"lat": 19.4, "lng": -99.1},
        notes=notes,
    )


HEAVIER: ShipmentChanges = {"package": {"weight_kg": 7.5}}
BOXED: ShipmentChanges = {"package": {"dimensions": {"length": 30.0, "width": 20.0, "height": 10.0}}}
RENAMED: ShipmentChanges = {
    "reference": "order 4712",
    "estimated_delivery": {"earliest": "2026-03-04T15:00:00.000Z", "latest": "2026-03-04T18:00:00.000Z"},
}
LONGER: ShipmentChanges = {"package": {"dimensions": {"length": 31.5}}}


def amendment(
    tracking_number: TrackingNumber = NUMBER,
    *,
    changes: ShipmentChanges = HEAVIER,
    at: datetime = NOON + timedelta(seconds=30),
    on_behalf_of: str | None = None,
) -> AmendShipment:
    """Return the command that amends a shipment."""
    return AmendShipment(
        event_id=event_id(tracking_number, at, API_SOURCE),
        tracking_number=tracking_number,
        changes=changes,
        timestamp=at,
        received_at=at,
        submitted_by="client_user_001",
        on_behalf_of=on_behalf_of,
    )


def retraction(
    of: Command,
    *,
    reason: str = "scanned at the wrong door",
    at: datetime = NOON + timedelta(minutes=30),
    reported_by: str | None = None,
) -> RetractEvent:
    """Return the command that takes an event back."""
    return RetractEvent(
        event_id=retraction_event_id(of.event_id),
        tracking_number=of.tracking_number,
        retracts=of.event_id,
        reason=reason,
        timestamp=at,
        received_at=at,
        submitted_by=reported_by or "admin_user",
        reported_by=reported_by,
    )


def payload_fingerprint(command: Command) -> str:
    """Return the fingerprint of a command's payload, apart from its identity."""
    if isinstance(command, CreateShipment):
        said: dict[str, object] = {"client_id": command.client_id}
        put_given(said, command, DESCRIBED)
    elif isinstance(command, ReportStatus):
        said = {"status": command.status}
        put_given(said, command, OBSERVED)
    elif isinstance(command, ReportCheckpoint):
        said = {"checkpoint": command.checkpoint}
        put_given(said, command, OBSERVED)
    elif isinstance(command, RetractEvent):
        said = {"reason": command.reason, "reported_by": command.reported_by}
    else:
        said = {"changes": command.changes, "on_behalf_of": command.on_behalf_of}
    if not isinstance(command, CreateShipment | RetractEvent) and command.expected_versions is not None:
        said["expected_versions"] = list(command.expected_versions)
    return fingerprint(said)


def consumed(
    command: Command,
    offset: int = 0,
    *,
    redelivered: bool = False,
    known_duplicate: bool = False,
    hold: timedelta | None = None,
) -> ConsumedCommand:
    """Return the record of the log that holds `command` at `offset`."""
    return ConsumedCommand(
        command=command,
        offset=offset,
        fingerprint=payload_fingerprint(command),
        redelivered=redelivered,
        known_duplicate=known_duplicate,
        hold=hold,
    )


def consumed_all(*commands: Command, first_offset: int = 0) -> list[ConsumedCommand]:
    """Return the records of the log that hold `commands`, one after the other."""
    return [consumed(command, offset) for offset, command in enumerate(commands, first_offset)]


def redelivered(records: Iterable[ConsumedCommand]) -> list[ConsumedCommand]:
    """Return the same records as redelivered after a crash or a rebalance."""
    return [replace(record, redelivered=True) for record in records]


def record_of(
    record: ConsumedCommand, outcome: Outcome = Outcome.APPLIED, reason: RejectionReason | None = None
) -> EventRecord:
    """Return the stored record of the event in `record`."""
    command = record.command
    return EventRecord(
        event_id=command.event_id,
        outcome=outcome,
        reason=reason,
        fingerprint=record.fingerprint,
        last_offset=record.offset,
        version=1 if outcome is Outcome.APPLIED else None,
        client_id="client_001",
        timestamp=command.timestamp,
        status=command.status if isinstance(command, ReportStatus) else Status.CREATED,
        offset=record.offset,
        submitted_by=command.submitted_by,
        received_at=command.received_at,
    )


def shipment_after(*commands: Command) -> Shipment:
    """Return the shipment that `commands`, all of them legal, lead to."""
    shipment: Shipment | None = None
    for command in commands:
        assert not isinstance(command, RetractEvent), "a retraction is not judged alone"
        event = decide(shipment, command)
        assert not isinstance(event, Rejected | Repeated), f"{command.event_id} is not legal here"
        shipment = evolve(shipment, event)
    assert shipment is not None, "a shipment needs at least its creation"
    return shipment


def plan_for(
    records: Sequence[ConsumedCommand],
    shipments: Mapping[TrackingNumber, Shipment] | None = None,
    known: Known | None = None,
    histories: Mapping[TrackingNumber, Sequence[HistoryEntry]] | None = None,
) -> Plan:
    """Judge `records` and return the plan; events that are not in `known` count as looked up and absent."""
    looked_up: Known = {record.command.event_id: None for record in records} | dict(known or {})
    plan = Plan(next_offset=max(record.offset for record in records) + 1)
    for tracking_number, group in by_shipment(records).items():
        plan.add(
            tracking_number,
            judge(
                group,
                (shipments or {}).get(tracking_number),
                looked_up,
                (histories or {}).get(tracking_number, ()),
            ),
        )
    return plan


def dead_letter(
    offset: int,
    *,
    reason: str = "unreadable",
    tracking_number: TrackingNumber | None = NUMBER,
    recorded_at: datetime = RECORDED_AT,
    state: DeadLetterState = DeadLetterState.OPEN,
) -> Document:
    """Return a dead letter as the API shows it."""
    return {
        "id": f"dl_0_{offset}",
        "reason": reason,
        "error": "not JSON",
        "attempts": 1,
        "topic": "shipments.events",
        "partition": 0,
        "offset": offset,
        "timestamp": NOON,
        "key": tracking_number,
        "event_id": None,
        "tracking_number": tracking_number,
        "recorded_at": recorded_at,
        "value_preview": "{",
        "headers": [{"name": "content-type", "value": "application/json"}],
        "replay_of": None,
        "state": state.value,
        "replays": 0,
        "last_replay": None,
        "discard": None,
    }


def log_partition(topic: str, number: int, *, partitions: int) -> LogPartition:
    """Return a partition of a log that has not grown."""
    return LogPartition(Generation(partitions, topic, is_first=True), number)
