"""One endpoint: its state, what it was sent, and the second look before it is changed."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from domain.access.permissions import Permission
from domain.webhooks.delivery import DeliveryState
from portal.console.api import Json, ListPage, path_to
from portal.console.frame import api, console_page
from portal.console.rejection import Rejection
from portal.console.webhooks.deliveries import AttemptRow, DeliveryRow, delivery_row
from portal.console.webhooks.endpoints import EndpointRow, endpoint_row
from portal.console.webhooks.replays import ReplayPlan, plan_replay
from portal.web.rendering import render

PAGE_LENGTH: Final = 25


@dataclass(frozen=True, slots=True)
class DeliveriesView:
    """A page of the endpoint's deliveries, newest first.

    Attributes:
        state: that they are in; empty: any.
        number: of the shipment that they are about; empty: any.
        states: to choose from.
    """

    state: str
    number: str
    states: tuple[DeliveryState, ...]
    rows: tuple[DeliveryRow, ...]
    total: int
    next_cursor: str | None
    is_first: bool


@dataclass(frozen=True, slots=True)
class EndpointView:
    """The page of one endpoint.

    Attributes:
        act: the act that is looked at a second time: pause, rotate, delete or replay.
        plan: what the replay would concern, if that is the act.
        test: how the test ended, if there was one.
        rejection: why the last act was not done.
    """

    endpoint: EndpointRow
    payload: str
    ordering: str
    rate_per_s: float | None
    deliveries: DeliveriesView
    act: str | None
    plan: ReplayPlan | None
    test: AttemptRow | None
    rejection: Rejection | None


@console_page(Permission.WEBHOOK_READ)
async def show_endpoint(request: web.Request) -> web.Response:
    """Show one endpoint."""
    return await endpoint_page(request)


async def endpoint_page(
    request: web.Request, *, rejection: Rejection | None = None, test: AttemptRow | None = None
) -> web.Response:
    """Return the page of the endpoint in the path, after an act on it if there was one."""
    path = path_to("webhooks", request.match_info["endpoint_id"])
    endpoint = await api(request).get(path)
    act = request.query.get("act")
    view = EndpointView(
        endpoint=endpoint_row(endpoint),
        payload=endpoint["payload"],
        ordering=endpoint["ordering"],
        rate_per_s=endpoint["rate_per_s"],
        deliveries=await _deliveries(request, path),
        act=act,
        plan=await plan_replay(request, path) if act == "replay" else None,
        test=test,
        rejection=rejection,
    )
    status = 200 if rejection is None else rejection.status
    return render(request, "console/webhooks/one.html", view, status=status)


async def _deliveries(request: web.Request, path: str) -> DeliveriesView:
    state, number = request.query.get("state", ""), request.query.get("tracking_number", "").strip()
    cursor = request.query.get("cursor")
    query: Json = {"state": state, "tracking_number": number, "cursor": cursor}
    page: ListPage = await api(request).list_page(f"{path}/deliveries", limit=PAGE_LENGTH, **query)
    return DeliveriesView(
        state=state,
        number=number,
        states=tuple(DeliveryState),
        rows=tuple(map(delivery_row, page.data)),
        total=page.total,
        next_cursor=page.next_cursor,
        is_first=cursor is None,
    )
