"""The demo's data set: bookings to register and scans to send."""

from dataclasses import dataclass
from datetime import datetime

from domain.shipments.commands import Location, Package, Place
from domain.shipments.status import Status


@dataclass(frozen=True, slots=True)
class Booking:
    """A shipment to register; `key` is its `Idempotency-Key`."""

    key: str
    client_id: str
    origin: Place
    destination: Place
    package: Package

    def body(self) -> dict[str, object]:
        """Return the body of POST /shipments."""
        return {
            "client_id": self.client_id,
            "origin": self.origin,
            "destination": self.destination,
            "package": self.package,
        }


@dataclass(frozen=True, slots=True)
class Scan:
    """One report to send.

    Attributes:
        of: key of a booking, or the tracking number of a parcel that nobody booked.
        timestamp: RFC 3339, milliseconds, UTC.
    """

    of: str
    status: Status
    timestamp: str
    source: str
    location: Location
    notes: str | None = None

    @property
    def instant(self) -> datetime:
        """Instant of the scan."""
        return datetime.fromisoformat(self.timestamp)

    def body(self, tracking_number: str) -> dict[str, object]:
        """Return the event as POST /events/batch takes it."""
        body: dict[str, object] = {
            "tracking_number": tracking_number,
            "status": self.status.value,
            "timestamp": self.timestamp,
            "source": self.source,
            "location": self.location,
        }
        return body if self.notes is None else body | {"notes": self.notes}


@dataclass(frozen=True, slots=True)
class DataSet:
    """A day: bookings, and scans in sending order."""

    bookings: tuple[Booking, ...]
    scans: tuple[Scan, ...]
