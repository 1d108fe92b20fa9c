"""Webhooks sent about one shipment: its deliveries at each endpoint that is told of its client."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from domain.access.permissions import Permission
from portal.console.api import Json, UserApi, path_to
from portal.console.frame import api, console_page, session
from portal.console.webhooks.deliveries import DeliveryRow, delivery_row
from portal.web.rendering import render

MOST_ENDPOINTS: Final = 100
DELIVERIES_EACH: Final = 25


@dataclass(frozen=True, slots=True)
class EndpointDeliveries:
    """Deliveries of one endpoint about a shipment.

    Attributes:
        rows: the newest ones.
        total: of all.
    """

    endpoint_id: str
    url: str
    state: str
    rows: tuple[DeliveryRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class SentView:
    """The page of what was sent about a shipment.

    Attributes:
        asked: how many endpoints were asked.
        is_complete: there are no others.
        endpoints: those that were sent something.
    """

    number: str
    asked: int
    is_complete: bool
    endpoints: tuple[EndpointDeliveries, ...]


@console_page(Permission.WEBHOOK_READ)
async def show_sent(request: web.Request) -> web.Response:
    """Show the webhooks that were sent about a shipment."""
    number = request.match_info["tracking_number"]
    shipment = await api(request).get(path_to("shipments", number))
    endpoints, is_complete = await _endpoints(api(request), shipment["client_id"], session(request).client_id)
    sent = [await _deliveries(api(request), each, number) for each in endpoints]
    view = SentView(
        number=shipment["tracking_number"],
        asked=len(endpoints),
        is_complete=is_complete,
        endpoints=tuple(each for each in sent if each.total),
    )
    return render(request, "console/shipments/sent.html", view)


async def _endpoints(api: UserApi, client_id: str, reader: str | None) -> tuple[list[Json], bool]:
    """Return the endpoints that are told of a client's shipments, and whether these are all."""
    own = await api.list_page("/webhooks", limit=MOST_ENDPOINTS, client_id=client_id)
    is_complete = own.next_cursor is None
    if reader is not None:
        return list(own.data), is_complete
    every = await api.list_page("/webhooks", limit=MOST_ENDPOINTS)
    general = [each for each in every.data if each["client_id"] is None]
    return [*own.data, *general], is_complete and every.next_cursor is None


async def _deliveries(api: UserApi, endpoint: Json, number: str) -> EndpointDeliveries:
    path = path_to("webhooks", endpoint["id"], "deliveries")
    page = await api.list_page(path, limit=DELIVERIES_EACH, tracking_number=number)
    return EndpointDeliveries(
        endpoint_id=endpoint["id"],
        url=endpoint["url"],
        state=endpoint["state"],
        rows=tuple(map(delivery_row, page.data)),
        total=page.total,
    )
