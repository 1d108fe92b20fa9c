"""One shipment: its status, history, trail and links, and the second look before it is changed."""

from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from domain.access.permissions import Permission
from domain.shipments.status import Status, can_follow
from portal.console.api import ApiRejected, Json, UserApi, path_to
from portal.console.frame import api, console_page, session
from portal.console.rejection import Rejection
from portal.console.session import Session
from portal.console.shipments.links import LinksView, read_links
from portal.console.shipments.trail import TrailView, read_trail
from portal.web.rendering import render


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """An entry of a shipment's history.

    Attributes:
        place: address, or latitude and longitude.
        can_be_retracted: the reader may take it back: an admin, and the last one that is not the creation.
    """

    event_id: str
    status: str
    checkpoint: str | None
    timestamp: str
    utc_offset: str | None
    source: str
    place: str | None
    notes: str | None
    signed_by: str | None
    can_be_retracted: bool


@dataclass(frozen=True, slots=True)
class ShipmentDetails:
    """A shipment as it stands.

    Attributes:
        size: in centimetres, as text; None if it is not known.
        earliest: of the estimated delivery; None if nobody has said, and `latest` likewise.
        history: newest first.
        can_be_cancelled: by the reader, in its present status.
    """

    status: str
    checkpoint: str | None
    version: int
    client_id: str
    reference: str | None
    origin: str
    destination: str
    weight_kg: float
    size: str | None
    content: str | None
    earliest: str | None
    latest: str | None
    created_at: str
    updated_at: str
    history: tuple[HistoryRow, ...]
    can_be_cancelled: bool


@dataclass(frozen=True, slots=True)
class ShipmentView:
    """The page of one shipment.

    Attributes:
        shipment: None: events name it, but it does not exist.
        links: None: they could not be read.
        act: the act that is looked at a second time: cancel, retract or remove_link.
        target: what it concerns: an event id, or the id of a link.
        rejection: why the last act was not done.
    """

    number: str
    shipment: ShipmentDetails | None
    trail: TrailView
    links: LinksView | None
    act: str | None
    target: str
    rejection: Rejection | None


@console_page(Permission.SHIPMENT_READ)
async def show_shipment(request: web.Request) -> web.Response:
    """Show one shipment."""
    return await shipment_page(request)


async def shipment_page(
    request: web.Request, *, rejection: Rejection | None = None, new_link: str | None = None
) -> web.Response:
    """Return the page of the shipment in the path.

    Args:
        request: of the page, or of an act on it.
        rejection: why the act was not done.
        new_link: address of the link that was made, which is shown this once.
    """
    number = request.match_info["tracking_number"]
    shipment = await _read_shipment(api(request), number)
    outcome, cursor = request.query.get("outcome"), request.query.get("cursor")
    trail = await read_trail(api(request), number, outcome=outcome, cursor=cursor)
    view = ShipmentView(
        number=number if shipment is None else shipment["tracking_number"],
        shipment=None if shipment is None else details_of(shipment, session(request)),
        trail=trail,
        links=None if shipment is None else await read_links(api(request), number, new_link),
        act=request.query.get("act"),
        target=request.query.get("target", ""),
        rejection=rejection,
    )
    status = HTTPStatus.OK if rejection is None else rejection.status
    return render(request, "console/shipments/one.html", view, status=status)


def details_of(shipment: Json, reader: Session) -> ShipmentDetails:
    """Return a shipment of the API as its page shows it."""
    last, window, package = (
        shipment.get("last_checkpoint"),
        shipment.get("estimated_delivery"),
        shipment["package"],
    )
    return ShipmentDetails(
        status=shipment["current_status"],
        checkpoint=None if last is None else last["checkpoint"],
        version=shipment["version"],
        client_id=shipment["client_id"],
        reference=shipment.get("reference"),
        origin=shipment["origin"]["address"],
        destination=shipment["destination"]["address"],
        weight_kg=package["weight_kg"],
        size=_size_of(package.get("dimensions")),
        content=package.get("content_description"),
        earliest=None if window is None else window["earliest"],
        latest=None if window is None else window["latest"],
        created_at=shipment["created_at"],
        updated_at=shipment["updated_at"],
        history=_history_of(shipment["status_history"], reader),
        can_be_cancelled=_can_cancel(Status(shipment["current_status"]), reader),
    )


async def _read_shipment(api: UserApi, number: str) -> Json | None:
    try:
        return await api.get(path_to("shipments", number))
    except ApiRejected as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return None


def _can_cancel(status: Status, reader: Session) -> bool:
    """Say whether the reader may cancel: a client until the shipment is picked up."""
    if not reader.may(Permission.SHIPMENT_CANCEL):
        return False
    return can_follow(status, Status.CANCELLED) and (reader.client_id is None or status is Status.CREATED)


def _history_of(entries: list[Json], reader: Session) -> tuple[HistoryRow, ...]:
    last = len(entries) - 1
    may_retract = reader.may(Permission.EVENT_RETRACT)
    rows = [
        _history_row(entry, can_be_retracted=may_retract and 0 < position == last)
        for position, entry in enumerate(entries)
    ]
    return tuple(reversed(rows))


def _history_row(entry: Json, *, can_be_retracted: bool) -> HistoryRow:
    return HistoryRow(
        event_id=entry["event_id"],
        status=entry["status"],
        checkpoint=entry.get("checkpoint"),
        timestamp=entry["timestamp"],
        utc_offset=entry.get("utc_offset"),
        source=entry["source"],
        place=_place_of(entry.get("location")),
        notes=entry.get("notes"),
        signed_by=entry.get("signed_by"),
        can_be_retracted=can_be_retracted,
    )


def _place_of(location: Json | None) -> str | None:
    if location is None:
        return None
    address = location.get("address")
    return str(address) if address else f"{location['lat']:.4f}, {location['lng']:.4f}"


def _size_of(dimensions: Json | None) -> str | None:
    if dimensions is None:
        return None
    return " x ".join(f"{dimensions[side]:g}" for side in ("length", "width", "height"))
