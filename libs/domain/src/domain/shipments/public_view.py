"""Public view of a shipment: all that anybody with its number, or with a link to it, may see.

Both views are allow lists. Addresses, notes, sources, clients, weights and signatures are in neither: a place
is a position, rounded to about ten kilometres.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from domain.shipments.checkpoint import LABELS
from domain.shipments.status import Status, is_terminal
from domain.shipments.tracking_number import TrackingNumber
from domain.timestamps import parse_timestamp
from domain.values import value

POSITION_DECIMALS: Final = 1


@value(kw_only=True)
class Position:
    """A position in WGS 84, in degrees, rounded to a tenth."""

    lat: float
    lng: float


@value(kw_only=True)
class ExpectedDelivery:
    """The span in which the delivery is expected."""

    earliest: datetime
    latest: datetime


@value(kw_only=True)
class PublicStep:
    """A step that a shipment has made.

    Attributes:
        status: the one that it reached, or that held at a checkpoint.
        checkpoint: a known code; None for a status.
        timestamp: when it happened.
        utc_offset: of the local time where it happened, such as `-06:00`; None for UTC.
        position: None if nobody said, and in the view without a link.
    """

    status: Status
    timestamp: datetime
    checkpoint: str | None = None
    utc_offset: str | None = None
    position: Position | None = None


@value(kw_only=True)
class PublicShipment:
    """A shipment as the public sees it.

    Attributes:
        steps: oldest first; checkpoints with codes of one's own are not among them.
        updated_at: time of the last change.
        ended_at: when its last status was recorded, if nothing can follow it; else None.
        expected: None if nobody said, and in the view without a link.
    """

    tracking_number: TrackingNumber
    current_status: Status
    steps: tuple[PublicStep, ...]
    version: int
    updated_at: datetime
    ended_at: datetime | None
    expected: ExpectedDelivery | None = None


def public_view(shipment: Mapping[str, Any]) -> PublicShipment:
    """Return the view for anybody who knows the number.

    Args:
        shipment: in the shape of the API; members that the view does not show may be missing.
    """
    return _view(shipment, _steps(shipment, with_places=False), None)


def linked_view(shipment: Mapping[str, Any]) -> PublicShipment:
    """Return the view for those who have a link: the public one, places and the expected delivery.

    Args:
        shipment: see `public_view`.
    """
    return _view(shipment, _steps(shipment, with_places=True), _expected(shipment))


def _view(
    shipment: Mapping[str, Any], steps: Iterable[PublicStep], expected: ExpectedDelivery | None
) -> PublicShipment:
    status = Status(shipment["current_status"])
    return PublicShipment(
        tracking_number=shipment["tracking_number"],
        current_status=status,
        steps=tuple(steps),
        version=shipment["version"],
        updated_at=shipment["updated_at"],
        ended_at=shipment["status_history"][-1]["recorded_at"] if is_terminal(status) else None,
        expected=expected,
    )


def _steps(shipment: Mapping[str, Any], *, with_places: bool) -> Iterable[PublicStep]:
    for entry in shipment["status_history"]:
        checkpoint = entry.get("checkpoint")
        if checkpoint is None or checkpoint in LABELS:
            yield PublicStep(
                status=Status(entry["status"]),
                checkpoint=checkpoint,
                timestamp=entry["timestamp"],
                utc_offset=entry.get("utc_offset"),
                position=_position(entry) if with_places else None,
            )


def _position(entry: Mapping[str, Any]) -> Position | None:
    location = entry.get("location")
    if location is None:
        return None
    # The sum turns -0.0 into 0.0.
    lat, lng = (round(float(location[name]), POSITION_DECIMALS) + 0.0 for name in ("lat", "lng"))
    return Position(lat=lat, lng=lng)


def _expected(shipment: Mapping[str, Any]) -> ExpectedDelivery | None:
    window = shipment.get("estimated_delivery")
    if window is None:
        return None
    earliest, latest = (parse_timestamp(window[name]) for name in ("earliest", "latest"))
    return ExpectedDelivery(earliest=earliest, latest=latest)
