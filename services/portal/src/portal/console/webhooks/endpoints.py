"""Endpoints as pages show them, and their list: those that need somebody come first."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from domain.access.permissions import Permission
from domain.webhooks.endpoint import EndpointState
from portal.console.api import Json
from portal.console.frame import api, console_page, session
from portal.web.rendering import render

PAGE_LENGTH: Final = 50


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """An endpoint.

    Attributes:
        client_id: None: it is told of the shipments of every client.
        paused_reason: manual, gone or failing; None while it is active.
        failing_since: the first failure since the last success.
    """

    endpoint_id: str
    url: str
    client_id: str | None
    state: str
    paused_reason: str | None
    paused_at: str | None
    failing_since: str | None
    types: tuple[str, ...]
    description: str | None
    created_by: str
    created_at: str


@dataclass(frozen=True, slots=True)
class EndpointsView:
    """The page with the list.

    Attributes:
        client_id: whose endpoints are listed; empty: everybody's.
        state: that they are in; empty: any.
        paused: number of paused ones in all, whatever is listed.
        shows_clients: the reader sees those of several clients.
    """

    client_id: str
    state: str
    rows: tuple[EndpointRow, ...]
    total: int
    paused: int
    next_cursor: str | None
    is_first: bool
    shows_clients: bool


@console_page(Permission.WEBHOOK_READ)
async def show_endpoints(request: web.Request) -> web.Response:
    """Show the endpoints that match the filters of the address, paused and failing ones first."""
    state, client_id = request.query.get("state", ""), request.query.get("client_id", "").strip()
    cursor = request.query.get("cursor")
    page = await api(request).list_page(
        "/webhooks", limit=PAGE_LENGTH, state=state, client_id=client_id, cursor=cursor
    )
    paused = await api(request).list_page("/webhooks", limit=1, state=EndpointState.PAUSED.value)
    view = EndpointsView(
        client_id=client_id,
        state=state,
        rows=tuple(sorted(map(endpoint_row, page.data), key=_is_well)),
        total=page.total,
        paused=paused.total,
        next_cursor=page.next_cursor,
        is_first=cursor is None,
        shows_clients=session(request).client_id is None,
    )
    return render(request, "console/webhooks/list.html", view)


def endpoint_row(endpoint: Json) -> EndpointRow:
    """Return an endpoint of the API."""
    return EndpointRow(
        endpoint_id=endpoint["id"],
        url=endpoint["url"],
        client_id=endpoint["client_id"],
        state=endpoint["state"],
        paused_reason=endpoint["paused_reason"],
        paused_at=endpoint["paused_at"],
        failing_since=endpoint["failing_since"],
        types=tuple(endpoint["types"]),
        description=endpoint["description"],
        created_by=endpoint["created_by"],
        created_at=endpoint["created_at"],
    )


def _is_well(row: EndpointRow) -> bool:
    return row.state == EndpointState.ACTIVE and row.failing_since is None
