"""A day of which every format remains: what callers and operators do to a stack, once each, over HTTP."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from domain.shipments.status import Status
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from tests.e2e.traffic import event_body, shipment_body
from tests.faults.corrections import checkpoint_body, id_of
from tests.support.api import Api, Json, Response, eventually
from tests.support.builders import ROUTE
from tests.support.receiving.receiver import Received, Receiver
from tests.support.topics import write_values

WAITING: Final = {"Prefer": "wait=5"}
CLIENT_ID: Final = "client_001"
GUESSED: Final = "client_user_002"
"""A user whose password somebody guesses."""
FULL, THIN, FAILING = "/full", "/thin", "/failing"
_POISON: Final = [(b"poison-1", b"\xff\xfe"), (b"poison-2", b"{"), (b"poison-3", b'{"specversion":"1.0"}')]
_SETTLED_S: Final = 30.0


@dataclass(slots=True)
class Day:
    """The day's callers, and what they are left with.

    Attributes:
        secrets: shown once to their owners, by a name.
        numbers: shipments, by what happened to them.
        paths: to read, of this day's resources.
    """

    admin: Api
    client: Api
    driver: Api
    hooks: Receiver
    kafka: KafkaSettings
    secrets: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)

    async def spend(self) -> None:
        """Do everything once, and wait until nothing is in progress."""
        await self._subscribe()
        await self._deliver()
        await self._correct()
        await self._change()
        await self._hold()
        await self._dead_letter()
        await self._give_access()
        await self._replay_webhooks()
        await self.hooks.has(10, path=FULL)
        await asyncio.sleep(2)  # offsets, and results of deliveries

    async def _subscribe(self) -> None:
        self.hooks.answers = {FAILING: _fail}
        full = await self._made(self.client, "/webhooks", {"url": self.hooks.url(FULL)})
        thin = {
            "url": self.hooks.url(THIN),
            "payload": "thin",
            "ordering": "per_shipment",
            "rate_per_s": 50.0,
        }
        thin |= {"types": ["shipment.created", "shipment.delivered"], "description": "the warehouse's"}
        for path, endpoint in (
            (FULL, full),
            (THIN, await self._made(self.admin, "/webhooks", thin)),
            (FAILING, await self._made(self.admin, "/webhooks", {"url": self.hooks.url(FAILING)})),
        ):
            self.secrets[path] = endpoint["secret"]
            self.paths += [f"/webhooks/{endpoint['id']}", f"/webhooks/{endpoint['id']}/deliveries?limit=2"]
        self.numbers["endpoint"] = full["id"]
        rotated = await self._made(
            self.client, f"/webhooks/{full['id']}/secret/rotate", {"grace_s": 3600}, (200, 201)
        )
        self.secrets["rotated"] = rotated["secret"]

    async def _deliver(self) -> None:
        """Deliver a shipment that has every field, by calls that wait."""
        body = shipment_body(CLIENT_ID) | {
            "reference": "order 4711",
            "estimated_delivery": {"earliest": "2026-12-03T09:00:00Z", "latest": "2026-12-03T12:30:00Z"},
        }
        number = await self._created("delivered", self.admin, body, key="golden-1")
        await self.admin.create(body, key="golden-1")  # repeated
        for status in ROUTE:
            event = event_body(number, status, notes="á\u2028 'one' \"two\"") | {"source": "scanner-9"}
            if status is Status.IN_TRANSIT:
                event["timestamp"] = event["timestamp"].removesuffix("Z") + "-05:00"
                event["timestamp"] = "2026-11-30T08:15:00.250-05:00"
            if status is Status.DELIVERED:
                event["signed_by"] = "R. Quispe"
            await self._ok(self.driver.post("/events", event, headers=WAITING))
            await self.driver.reported(event)
            if status is Status.IN_WAREHOUSE:
                await self._ok(self.driver.post("/events", checkpoint_body(number, "arrived_at_hub")))
                await self.driver.post("/events", event | {"notes": "a contradiction"}, headers=WAITING)

    async def _correct(self) -> None:
        """Report too early, retract, report again."""
        number = await self._created("corrected", self.client, shipment_body(None))
        picked, stored, moving, delivered = (event_body(number, status) for status in ROUTE)
        hub = checkpoint_body(number, "customs_cleared")
        await self.driver.batch_reported([moving, delivered, picked, hub])
        await self._ok(self.driver.post("/events", stored, headers=WAITING))
        for event in (picked, delivered, moving):
            path = f"/events/{id_of(event)}/retract"
            await self.driver.post(path, {"reason": "the wrong door"}, headers=WAITING)
        await self.admin.post("/events", event_body(number, Status.CANCELLED), headers=WAITING)

    async def _change(self) -> None:
        number = await self._created("changed", self.client, shipment_body(None))
        path = f"/shipments/{number}"
        changes = {"package": {"weight_kg": 3.0}, "reference": "order 4712"}
        await self._ok(self.client.ask("PATCH", path, json=changes))
        tag = {"If-Match": (await self.client.get(path)).headers["ETag"]}
        await self.client.ask("DELETE", path, headers={"If-Match": '"v1"'})
        await self._ok(self.client.ask("DELETE", path, headers=tag))

    async def _hold(self) -> None:
        number = await self._created("holding", self.admin, shipment_body(CLIENT_ID))
        held = event_body(number, Status.IN_TRANSIT, notes="early") | {"signed_by": "nobody"}
        await self.driver.post("/events", held, headers=WAITING)

    async def _dead_letter(self) -> None:
        """Dead-letter by damage and by quarantine; replay one, discard one."""
        await write_values(self.kafka, Topics().events, _POISON)
        number = await self._created("quarantined", self.admin, shipment_body(CLIENT_ID))
        quarantine = f"/quarantine/{number}"
        await self._ok(self.admin.ask("PUT", quarantine, json={"reason": "looked at"}))
        await asyncio.sleep(3)  # until every processor knows
        await self.driver.batch_reported([event_body(number, status) for status in ROUTE[:2]])
        listed = await self._listed(f"/dead-letters?tracking_number={number}", 2)
        other = await self._created("in quarantine", self.admin, shipment_body("client_002"))
        await self._ok(self.admin.ask("PUT", f"/quarantine/{other}", json={"reason": "stays"}))
        await self._ok(self.admin.ask("DELETE", quarantine))
        await asyncio.sleep(3)
        replayed, discarded = (each["id"] for each in listed)
        await self._ok(self.admin.post(f"/dead-letters/{replayed}/replay", {}))
        await self._ok(self.admin.post(f"/dead-letters/{discarded}/discard", {"reason": "sent again"}))
        self.paths += [f"/dead-letters/{replayed}", f"/dead-letters/{discarded}", "/dead-letters?limit=2"]
        await asyncio.sleep(1)

    async def _give_access(self) -> None:
        user = {"username": "scanner-golden", "password": "blue-truck-seven", "role": "producer"}
        await self._made(self.admin, "/auth/users", user)
        key = await self._made(self.admin, "/auth/users/scanner-golden/api-keys", {})
        self.secrets["api_key"] = key["api_key"]
        exchanged = await self._ok(self.admin.post("/auth/token", {"api_key": key["api_key"]}))
        self.secrets["token of a key"] = exchanged.body["token"]
        ended = await self.admin.log_in("client_user_002")
        await self._ok(self.admin.by(ended).post("/auth/logout", {}))
        for _ in range(5):  # as many as lock
            wrong = {"username": GUESSED, "password": "not-this-one"}
            assert (await self.admin.post("/auth/login", wrong)).status == 401
        for name in ("delivered", "holding"):
            link = await self._made(self.admin, f"/shipments/{self.numbers[name]}/links", {})
            self.secrets[f"link of {name}"] = link["url"].partition("#")[2]

    async def _replay_webhooks(self) -> None:
        endpoint = self.numbers["endpoint"]
        begin = {"from": "2026-11-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
        replay = await self.client.post(f"/webhooks/{endpoint}/replays", begin)
        assert replay.status < 300, replay.text
        self.paths.append(f"/webhooks/{endpoint}/replays/{replay.body['id']}")

    async def _created(self, name: str, caller: Api, body: Json, *, key: str | None = None) -> str:
        response = await caller.create(body, key=key)
        assert response.status == 201, response.text
        number = self.numbers[name] = str(response.body["tracking_number"])
        shipment = f"/shipments/{number}"
        self.paths += [shipment, f"{shipment}/events?limit=2", f"{shipment}/links", f"/public{shipment}"]
        return number

    async def _made(self, caller: Api, path: str, body: Json, expected: tuple[int, ...] = (201,)) -> Json:
        response = await caller.post(path, body)
        assert response.status in expected, f"{path}: {response.status} {response.text}"
        made: Json = response.body
        return made

    async def _ok(self, call: Awaitable[Response]) -> Response:
        response = await call
        assert response.status < 300, f"{response.status}: {response.text}"
        return response

    async def _listed(self, path: str, count: int) -> list[Json]:
        async def all_there() -> list[Json] | None:
            found: list[Json] = (await self.admin.get(path)).body["data"]
            return found if len(found) >= count else None

        return await eventually(all_there, within_s=_SETTLED_S)


def _fail(_received: Received) -> web.Response:
    return web.Response(status=500)
