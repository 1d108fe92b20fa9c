"""The demo's data set: bookings to register and scans to send, as two files of JSON lines.

The files are shorter than the API's own bodies and meant to be read. `shipments.jsonl`, one booking a line:
`{"key", "client", "from": [address, lat, lng], "to": [...], "kg", "cm": [l, w, h], "what"}`.
`scans.jsonl`, one scan a line, in the order in which they are sent:
`{"of", "status", "at", "by", "where": [lat, lng, address?], "notes"?}`, `of` a booking's key or, for a parcel
that nobody booked, a tracking number.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

from domain.shipments.commands import Coordinates, Dimensions, Location, Package, Place
from domain.shipments.status import Status

BOOKINGS_FILE: Final = "shipments.jsonl"
SCANS_FILE: Final = "scans.jsonl"
DATA: Final[Traversable] = files("demo.dataset") / "data"


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


def load(directory: Traversable = DATA) -> DataSet:
    """Read the committed data set."""
    bookings = _lines((directory / BOOKINGS_FILE).read_text("utf-8"))
    scans = _lines((directory / SCANS_FILE).read_text("utf-8"))
    return DataSet(tuple(map(_booking, bookings)), tuple(map(_scan, scans)))


def rendered(data: DataSet) -> dict[str, str]:
    """Return the text of each file of the data set, by file name."""
    return {
        BOOKINGS_FILE: _text(map(_booking_line, data.bookings)),
        SCANS_FILE: _text(map(_scan_line, data.scans)),
    }


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def _text(lines: Iterable[Mapping[str, object]]) -> str:
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)


def _booking(line: Mapping[str, Any]) -> Booking:
    length, width, height = line["cm"]
    package = Package(
        weight_kg=line["kg"],
        dimensions=Dimensions(length=length, width=width, height=height),
        content_description=line["what"],
    )
    return Booking(line["key"], line["client"], _place(*line["from"]), _place(*line["to"]), package)


def _booking_line(booking: Booking) -> dict[str, object]:
    return {
        "key": booking.key,
        "client": booking.client_id,
        "from": _place_line(booking.origin),
        "to": _place_line(booking.destination),
        "kg": booking.package["weight_kg"],
        "cm": list(booking.package["dimensions"].values()),
        "what": booking.package["content_description"],
    }


def _place(address: str, lat: float, lng: float) -> Place:
    return Place(address=address, coordinates=Coordinates(lat=lat, lng=lng))


def _place_line(place: Place) -> list[object]:
    return [place["address"], *place["coordinates"].values()]


def _scan(line: Mapping[str, Any]) -> Scan:
    lat, lng, *address = line["where"]
    location = Location(lat=lat, lng=lng, address=address[0]) if address else Location(lat=lat, lng=lng)
    return Scan(line["of"], Status(line["status"]), line["at"], line["by"], location, line.get("notes"))


def _scan_line(scan: Scan) -> dict[str, object]:
    line: dict[str, object] = {
        "of": scan.of,
        "status": scan.status.value,
        "at": scan.timestamp,
        "by": scan.source,
        "where": list(scan.location.values()),
    }
    return line if scan.notes is None else line | {"notes": scan.notes}
