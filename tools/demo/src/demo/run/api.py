"""The part of Waybill's HTTP API that the demo uses, as an admin and as a driver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from demo.dataset.model import ADMIN, DRIVER
from demo.dataset.records import Booking
from demo.errors import Refused
from demo.ledger import EventState, ShipmentState
from demo.run.gateway import Gateway, Request, Response, refused
from domain.shipments.event_identity import EventId, creation_event_id
from domain.shipments.tracking_number import TrackingNumber

_DESCRIPTION: Final = "make demo"
_DEVELOPMENT_PASSWORD: Final = "password123"  # noqa: S105 - public: the seed of a development stack has it


@dataclass(frozen=True, slots=True)
class Registered:
    """A booking accepted by the stack; `unsure` repetitions of it may have been counted.

    Attributes:
        applied: it had its outcome at the response; otherwise its counters may still grow.
    """

    tracking_number: TrackingNumber
    unsure: int
    applied: bool


@dataclass(frozen=True, slots=True)
class Accepted:
    """A batch accepted by the stack; `unsure` repetitions of it may have been counted."""

    event_ids: list[EventId]
    took_s: float
    unsure: int


class Api:
    """Calls on behalf of the two users of the demo; make one with `log_in`."""

    def __init__(self, gateway: Gateway, *, admin_token: str, driver_token: str) -> None:
        self._gateway = gateway
        self._as_admin = {"Authorization": f"Bearer {admin_token}"}
        self._as_driver = {"Authorization": f"Bearer {driver_token}"}

    async def register(self, booking: Booking) -> Registered:
        """Register a shipment; it need not be applied yet.

        Raises:
            Refused: the stack rejected it.
        """
        headers = self._as_admin | {"Idempotency-Key": booking.key}
        request = Request("POST", "/shipments", booking.body(), headers)
        response = await self._gateway.ask(request)
        if response.status not in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
            raise refused(request, response)
        applied = response.status == HTTPStatus.CREATED
        return Registered(TrackingNumber(response.body["tracking_number"]), response.unsure, applied)

    async def report(self, events: Sequence[Mapping[str, object]]) -> Accepted:
        """Send a batch of events.

        Raises:
            Refused: the stack rejected it.
        """
        request = Request("POST", "/events/batch", {"events": events}, self._as_driver)
        response = await self._gateway.ask(request)
        if response.status != HTTPStatus.ACCEPTED:
            raise refused(request, response)
        items = sorted(response.body["events"], key=lambda item: int(item["index"]))
        return Accepted([EventId(item["event_id"]) for item in items], response.took_s, response.unsure)

    async def event(self, event_id: EventId) -> EventState | None:
        """Return the outcome of an event, None as long as there is none."""
        body = await self._look_up(f"/events/{event_id}")
        if body is None:
            return None
        counters = (int(body[name]) for name in ("attempts", "duplicates", "conflicts"))
        return EventState(body["outcome"], body.get("reason"), *counters)

    async def creation(self, tracking_number: TrackingNumber) -> EventState | None:
        """Return the outcome of a registration, None as long as there is none."""
        return await self.event(creation_event_id(tracking_number))

    async def shipment(self, tracking_number: TrackingNumber) -> ShipmentState | None:
        """Return the state of a shipment, None if it does not exist."""
        body = await self._look_up(f"/shipments/{tracking_number}")
        if body is None:
            return None
        return ShipmentState(body["current_status"], int(body["version"]))

    async def register_endpoint(self, url: str) -> str | None:
        """Register an endpoint for the changes of all shipments, and return its secret.

        Returns:
            None if the stack does not allow this address.

        Raises:
            Refused: the stack rejected it for another reason.
        """
        body = {"url": url, "description": _DESCRIPTION}
        request = Request("POST", "/webhooks", body, self._as_admin)
        response = await self._gateway.ask(request)
        if response.status == HTTPStatus.BAD_REQUEST:
            return None
        if response.status != HTTPStatus.CREATED:
            raise refused(request, response)
        return str(response.body["secret"])

    async def remove_endpoints(self) -> None:
        """Remove all endpoints of the demo, those of interrupted runs too.

        Raises:
            Refused: the stack rejected it.
        """
        request = Request("GET", "/webhooks?limit=100", headers=self._as_admin)
        response = await self._gateway.ask(request)
        if response.status != HTTPStatus.OK:
            raise refused(request, response)
        for endpoint in response.body["data"]:
            if endpoint["description"] == _DESCRIPTION:
                removal = Request("DELETE", f"/webhooks/{endpoint['id']}", headers=self._as_admin)
                await self._gateway.ask(removal)

    async def _look_up(self, path: str) -> Mapping[str, Any] | None:
        request = Request("GET", path, headers=self._as_admin)
        response = await self._gateway.ask(request)
        if response.status == HTTPStatus.NOT_FOUND:
            return None
        if response.status != HTTPStatus.OK:
            raise refused(request, response)
        return response.body


async def log_in(gateway: Gateway) -> Api:
    """Log both users in.

    Raises:
        Refused: the stack does not have the demo's users.
    """
    return Api(gateway, admin_token=await _token(gateway, ADMIN), driver_token=await _token(gateway, DRIVER))


async def _token(gateway: Gateway, username: str) -> str:
    request = Request("POST", "/auth/login", {"username": username, "password": _DEVELOPMENT_PASSWORD})
    response: Response = await gateway.ask(request)
    if response.status == HTTPStatus.UNAUTHORIZED:
        raise Refused(f"the stack has no user {username} of the demo: it must run with ENV=development")
    if response.status != HTTPStatus.OK:
        raise refused(request, response)
    return str(response.body["token"])
