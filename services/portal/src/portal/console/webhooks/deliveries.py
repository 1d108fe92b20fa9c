"""Deliveries: as lines of a list, and one with its attempts and its body."""

from dataclasses import dataclass

from aiohttp import web

from domain.access.permissions import Permission
from portal.console.api import ApiRejected, Json, path_to
from portal.console.frame import api, console_page, see
from portal.console.rejection import Rejection, rejection_of
from portal.web.rendering import render


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt at a delivery.

    Attributes:
        status_code: of the response; None: there was none.
        error: why it does not count as delivered.
        response: the beginning of the response's body.
    """

    at: str
    status_code: int | None
    duration_ms: int
    error: str | None
    response: str | None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery with its last attempt, None before the first."""

    delivery_id: str
    endpoint_id: str
    type: str
    number: str
    version: int
    state: str
    next_attempt_at: str | None
    created_at: str
    last: AttemptRow | None


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """The page of one delivery.

    Attributes:
        attempts: newest first.
        body: as it is sent; None: it is not kept any more.
        rejection: why it is not sent again.
    """

    delivery: DeliveryRow
    attempts: tuple[AttemptRow, ...]
    body: str | None
    rejection: Rejection | None


@console_page(Permission.WEBHOOK_READ)
async def show_delivery(request: web.Request) -> web.Response:
    """Show one delivery."""
    return await _delivery_page(request)


@console_page(Permission.WEBHOOK_MANAGE)
async def retry_delivery(request: web.Request) -> web.Response:
    """Send a delivery again, at once and then by the schedule."""
    try:
        await api(request).post(f"{_path(request)}/retry")
    except ApiRejected as error:
        return await _delivery_page(request, rejection_of(error))
    return see(request, f"/console{_path(request)}", notice="delivery_due")


def delivery_row(delivery: Json) -> DeliveryRow:
    """Return a delivery of the API as a line of a list."""
    last = delivery.get("last_attempt")
    return DeliveryRow(
        delivery_id=delivery["id"],
        endpoint_id=delivery["endpoint_id"],
        type=delivery["type"],
        number=delivery["tracking_number"],
        version=delivery["version"],
        state=delivery["state"],
        next_attempt_at=delivery["next_attempt_at"],
        created_at=delivery["created_at"],
        last=None if last is None else attempt_row(last),
    )


def attempt_row(attempt: Json) -> AttemptRow:
    """Return an attempt of the API."""
    return AttemptRow(
        at=attempt["at"],
        status_code=attempt["status_code"],
        duration_ms=attempt["duration_ms"],
        error=attempt["error"],
        response=attempt["response"],
    )


async def _delivery_page(request: web.Request, rejection: Rejection | None = None) -> web.Response:
    delivery = await api(request).get(_path(request))
    attempts = tuple(attempt_row(each) for each in reversed(delivery["attempts"]))
    view = DeliveryView(delivery_row(delivery), attempts, delivery["body"], rejection)
    status = 200 if rejection is None else rejection.status
    return render(request, "console/webhooks/delivery.html", view, status=status)


def _path(request: web.Request) -> str:
    endpoint_id, delivery_id = request.match_info["endpoint_id"], request.match_info["delivery_id"]
    return path_to("webhooks", endpoint_id, "deliveries", delivery_id)
