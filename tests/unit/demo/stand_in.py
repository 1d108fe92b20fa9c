"""A stand-in for the stack: the demo's part of the API over the rules of the domain, in memory."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from domain.processing.batch import ConsumedCommand, EventRecord
from domain.processing.judging import judge
from domain.shipments.commands import Command, CreateShipment, ReportStatus
from domain.shipments.event_identity import EventId, creation_event_id, event_id, fingerprint
from domain.shipments.shipment import Shipment
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber, derive_tracking_number

NOON = datetime(2026, 11, 4, 12, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of the standard's example


@dataclass
class Rules:
    """Rules of a working stack, applied to one command after the other."""

    shipments: dict[TrackingNumber, Shipment] = field(default_factory=dict)
    records: dict[EventId, EventRecord] = field(default_factory=dict)
    counters: dict[EventId, Counter[str]] = field(default_factory=dict)

    def create(self, key: str, body: Mapping[str, Any]) -> TrackingNumber:
        number = derive_tracking_number("admin_user", key, 0)
        creation = CreateShipment(
            event_id=creation_event_id(number),
            tracking_number=number,
            timestamp=NOON,
            received_at=NOON,
            submitted_by="admin_user",
            **body,
        )
        self.deliver(creation, body)
        return number

    def report(self, body: Mapping[str, Any]) -> EventId:
        number, at = TrackingNumber(body["tracking_number"]), datetime.fromisoformat(body["timestamp"])
        report = ReportStatus(
            event_id=event_id(number, at, body["source"]),
            tracking_number=number,
            status=Status(body["status"]),
            timestamp=at,
            source=body["source"],
            received_at=NOON,
            submitted_by="driver_user_001",
        )
        self.deliver(report, body)
        return report.event_id

    def deliver(self, command: Command, body: Mapping[str, Any]) -> None:
        consumed = ConsumedCommand(command=command, offset=0, fingerprint=fingerprint(body))
        known = {command.event_id: self.records.get(command.event_id)}
        verdicts = judge([consumed], self.shipments.get(command.tracking_number), known)
        if verdicts.shipment is not None:
            self.shipments[command.tracking_number] = verdicts.shipment.after
        change = verdicts.events[command.event_id]
        if change.record is not None:
            self.records[command.event_id] = change.record
        counters = self.counters.setdefault(command.event_id, Counter())
        counters.update(attempts=change.attempts, duplicates=change.duplicates, conflicts=change.conflicts)


class StandIn:
    """HTTP side of the stand-in, with the faults that a test asks for.

    Attributes:
        half_taken: how many more batches are taken by half and then answered 503.
        forgotten: events that are accepted and never judged.
        answers_late: creations are queued only, as without Redis.
        endpoints: of webhooks, by id; to none of them is anything sent.
        allows_loopback: endpoints may be on this machine.
    """

    def __init__(self) -> None:
        self.rules = Rules()
        self.half_taken = 0
        self.forgotten: frozenset[EventId] = frozenset()
        self.answers_late = False
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.allows_loopback = True

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/health/live", self.live),
                web.post("/auth/login", self.login),
                web.post("/shipments", self.create),
                web.post("/events/batch", self.batch),
                web.get("/events/{id}", self.event),
                web.get("/shipments/{id}", self.shipment),
                web.get("/webhooks", self.list_endpoints),
                web.post("/webhooks", self.add_endpoint),
                web.delete("/webhooks/{id}", self.delete_endpoint),
            ]
        )
        return app

    async def live(self, _: web.Request) -> web.Response:
        return web.json_response({})

    async def login(self, request: web.Request) -> web.Response:
        credentials = await request.json()
        if credentials["password"] != "password123":  # noqa: S105 - the development seed
            return web.json_response({"error": "INVALID_CREDENTIALS"}, status=401)
        return web.json_response({"token": credentials["username"]})

    async def create(self, request: web.Request) -> web.Response:
        number = self.rules.create(request.headers["Idempotency-Key"], await request.json())
        body = {"tracking_number": number}
        return web.json_response(body, status=202 if self.answers_late else 201)

    async def batch(self, request: web.Request) -> web.Response:
        events = (await request.json())["events"]
        if self.half_taken:
            self.half_taken -= 1
            self._take(events[: len(events) // 2])
            return web.json_response({"error": "X"}, status=503, headers={"Retry-After": "0"})
        items = [{"index": at, "event_id": known} for at, known in enumerate(self._take(events))]
        return web.json_response({"received": len(events), "events": items}, status=202)

    async def event(self, request: web.Request) -> web.Response:
        known = EventId(request.match_info["id"])
        record = self.rules.records.get(known)
        if record is None or known in self.forgotten:
            return web.json_response({"error": "EVENT_NOT_FOUND"}, status=404)
        state = {"event_id": known, "outcome": record.outcome, "reason": record.reason}
        return web.json_response(state | self.rules.counters[known])

    async def shipment(self, request: web.Request) -> web.Response:
        shipment = self.rules.shipments.get(TrackingNumber(request.match_info["id"]))
        if shipment is None:
            return web.json_response({"error": "SHIPMENT_NOT_FOUND"}, status=404)
        return web.json_response({"current_status": shipment.status, "version": shipment.version})

    async def list_endpoints(self, _: web.Request) -> web.Response:
        return web.json_response({"data": list(self.endpoints.values())})

    async def add_endpoint(self, request: web.Request) -> web.Response:
        if not self.allows_loopback:
            return web.json_response({"error": "VALIDATION_ERROR"}, status=400)
        added = {"id": f"wh_{len(self.endpoints)}", **await request.json()}
        self.endpoints[added["id"]] = added
        return web.json_response(added | {"secret": SECRET}, status=201)

    async def delete_endpoint(self, request: web.Request) -> web.Response:
        del self.endpoints[request.match_info["id"]]
        return web.Response(status=204)

    def _take(self, events: Iterable[Mapping[str, Any]]) -> list[EventId]:
        return [self.rules.report(event) for event in events]
