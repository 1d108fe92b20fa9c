"""Result of the data set by the rules of the domain, without any server: the demo's known answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from demo.dataset.records import Booking, DataSet, Scan
from demo.ledger import EventState, Ledger, ShipmentState
from domain.processing.batch import ConsumedCommand, EventRecord
from domain.processing.judging import judge
from domain.shipments.commands import Command, CreateShipment, ReportStatus
from domain.shipments.event_identity import EventId, creation_event_id, event_id, fingerprint
from domain.shipments.shipment import Shipment
from domain.shipments.tracking_number import TrackingNumber, derive_tracking_number

ADMIN = "admin_user"
DRIVER = "driver_user_001"
_NEVER_READ = datetime(2026, 11, 1, tzinfo=UTC)  # the rules do not look at when a booking was made

Numbers = Mapping[str, TrackingNumber]
"""Tracking number by what `Scan.of` holds."""


def derived_numbers(data: DataSet) -> dict[str, TrackingNumber]:
    """Return the numbers that a server without any collision assigns; the demo uses those it receives."""
    return {booking.key: derive_tracking_number(ADMIN, booking.key, 0) for booking in data.bookings}


def with_strays(data: DataSet, numbers: Numbers) -> dict[str, TrackingNumber]:
    """Return the numbers of the bookings together with those of the parcels that nobody booked."""
    strays = {scan.of for scan in data.scans} - numbers.keys()
    return {**numbers, **{stray: TrackingNumber(stray) for stray in strays}}


def scan_id(scan: Scan, numbers: Numbers) -> EventId:
    """Return the id that the event of `scan` must have."""
    return event_id(numbers[scan.of], scan.instant, scan.source)


def expected_after(data: DataSet, numbers: Numbers, *, before: Ledger) -> Ledger:
    """Return the expected ledger after one more run.

    An event that has an outcome already must have got it from an earlier run, complete or interrupted.

    Args:
        data: the data set.
        numbers: the tracking number of everything that `data.scans` name.
        before: the ledger before the run; only counters are taken from it, never an outcome.
    """
    ledger = _Ledger()
    for booking in data.bookings:
        ledger.register(booking, numbers[booking.key])
    for scan in data.scans:
        known = scan_id(scan, numbers)
        if known in before.events and known not in ledger.events:
            ledger.report(scan, numbers[scan.of])
    start = dict(ledger.events)
    for scan in data.scans:
        ledger.report(scan, numbers[scan.of])
    events = {
        known: _onto(before.events.get(known), start.get(known), end) for known, end in ledger.events.items()
    }
    shipments = {
        shipment.tracking_number: ShipmentState(shipment.status, shipment.version)
        for shipment in ledger.shipments.values()
    }
    return Ledger(events, shipments)


@dataclass(slots=True)
class _Ledger:
    shipments: dict[TrackingNumber, Shipment] = field(default_factory=dict)
    events: dict[EventId, EventState] = field(default_factory=dict)
    records: dict[EventId, EventRecord] = field(default_factory=dict)
    offset: int = 0

    def register(self, booking: Booking, number: TrackingNumber) -> None:
        creation = _creation(booking, number)
        self._deliver(creation, fingerprint(booking.body()))
        del self.events[creation.event_id]  # the demo checks what it scanned, not what it booked

    def report(self, scan: Scan, number: TrackingNumber) -> None:
        self._deliver(_report(scan, number), fingerprint(scan.body(number)))

    def _deliver(self, command: Command, payload: str) -> None:
        delivery = ConsumedCommand(command=command, offset=self.offset, fingerprint=payload)
        self.offset += 1
        known = {command.event_id: self.records.get(command.event_id)}
        verdicts = judge([delivery], self.shipments.get(command.tracking_number), known)
        if verdicts.shipment is not None:
            self.shipments[command.tracking_number] = verdicts.shipment.after
        change = verdicts.events[command.event_id]
        record = self.records[command.event_id] = change.record or self.records[command.event_id]
        earlier = self.events.get(command.event_id, EventState("", None, 0, 0, 0))
        self.events[command.event_id] = EventState(
            record.outcome,
            record.reason,
            earlier.attempts + change.attempts,
            earlier.duplicates + change.duplicates,
            earlier.conflicts + change.conflicts,
        )


def _onto(before: EventState | None, start: EventState | None, end: EventState) -> EventState:
    if before is None or start is None:
        return end
    return replace(
        end,
        attempts=before.attempts + end.attempts - start.attempts,
        duplicates=before.duplicates + end.duplicates - start.duplicates,
        conflicts=before.conflicts + end.conflicts - start.conflicts,
    )


def _creation(booking: Booking, number: TrackingNumber) -> CreateShipment:
    return CreateShipment(
        event_id=creation_event_id(number),
        tracking_number=number,
        client_id=booking.client_id,
        origin=booking.origin,
        destination=booking.destination,
        package=booking.package,
        timestamp=_NEVER_READ,
        received_at=_NEVER_READ,
        submitted_by=ADMIN,
    )


def _report(scan: Scan, number: TrackingNumber) -> ReportStatus:
    return ReportStatus(
        event_id=event_id(number, scan.instant, scan.source),
        tracking_number=number,
        status=scan.status,
        timestamp=scan.instant,
        source=scan.source,
        received_at=scan.instant,
        submitted_by=DRIVER,
        location=scan.location,
        notes=scan.notes,
    )
