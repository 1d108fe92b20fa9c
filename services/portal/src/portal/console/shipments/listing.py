"""The list of shipments: its filters are in the address, newest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from aiohttp import web

from domain.access.permissions import Permission
from domain.shipments.status import Status
from portal.console.api import ApiRejected, Json, ListPage
from portal.console.frame import api, console_page, session
from portal.console.rejection import Rejection, rejection_of
from portal.web.rendering import render

PAGE_LENGTH: Final = 25
FILTERS: Final = ("tracking_number", "reference", "client_id", "status", "created_from", "created_until")


@dataclass(frozen=True, slots=True)
class ShipmentRow:
    """A line of the list."""

    number: str
    status: str
    checkpoint: str | None
    client_id: str
    reference: str | None
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class ShipmentsView:
    """The page with the list.

    Attributes:
        filters: those of the address that are not empty, by their names.
        statuses: to choose from.
        total: number of all matches.
        next_cursor: for the next page; None: this is the last.
        is_first: no page comes before this one.
        shows_clients: the reader sees those of several clients.
        rejection: why the filters are not taken.
    """

    filters: Mapping[str, str]
    statuses: tuple[Status, ...]
    rows: tuple[ShipmentRow, ...]
    total: int
    next_cursor: str | None
    is_first: bool
    shows_clients: bool
    rejection: Rejection | None


@console_page(Permission.SHIPMENT_READ)
async def show_shipments(request: web.Request) -> web.Response:
    """Show shipments that match the filters of the address."""
    filters = {name: text for name in FILTERS if (text := request.query.get(name, "").strip())}
    cursor = request.query.get("cursor")
    page, rejection = ListPage([], 0, None), None
    try:
        page = await api(request).list_page("/shipments", limit=PAGE_LENGTH, cursor=cursor, **_query(filters))
    except ApiRejected as error:
        rejection = rejection_of(error)
    view = ShipmentsView(
        filters=filters,
        statuses=tuple(Status),
        rows=tuple(_row(each) for each in page.data),
        total=page.total,
        next_cursor=page.next_cursor,
        is_first=cursor is None,
        shows_clients=session(request).client_id is None,
        rejection=rejection,
    )
    return render(request, "console/shipments/list.html", view, status=rejection.status if rejection else 200)


def _query(filters: Mapping[str, str]) -> dict[str, str]:
    """Return the query of the API: days become instants, and the last one counts whole."""
    query = dict(filters)
    if "created_from" in query:
        query["created_from"] = _midnight(query["created_from"], days_later=0)
    if "created_until" in query:
        query["created_to"] = _midnight(query.pop("created_until"), days_later=1)
    return query


def _midnight(day: str, *, days_later: int) -> str:
    try:
        return f"{date.fromisoformat(day) + timedelta(days=days_later)}T00:00:00Z"
    except (ValueError, OverflowError):
        return day  # the API says that it is none


def _row(shipment: Json) -> ShipmentRow:
    last = shipment.get("last_checkpoint")
    return ShipmentRow(
        number=shipment["tracking_number"],
        status=shipment["current_status"],
        checkpoint=None if last is None else last["checkpoint"],
        client_id=shipment["client_id"],
        reference=shipment.get("reference"),
        created_at=shipment["created_at"],
        updated_at=shipment["updated_at"],
    )
