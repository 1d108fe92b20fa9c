"""Endpoints and deliveries of a test, as fan-out and the management write them, sent by the real thing."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet
from prometheus_client import CollectorRegistry

from domain.webhooks.delivery import DeliveryState, delivery_id
from servicekit.clock import SystemClock
from storage.mongo.database import Database
from storage.mongo.schema import WEBHOOK_DELIVERIES, WEBHOOK_ENDPOINTS, WEBHOOK_MESSAGES, WEBHOOK_REPLAYS
from tests.support.waiting import wait_for
from webhooks.dispatching.delivering import Delivering, DeliveringParts
from webhooks.metrics import WebhookMetrics
from webhooks.sealing import SecretSealer, new_secret
from webhooks.sending.address_guard import AddressGuard, parse_networks
from webhooks.sending.sender import open_sender
from webhooks.sending.timing import TIMING, Timing
from webhooks.stores.leases import MongoLeases
from webhooks.workers import run_workers

FAST = Timing(attempt_s=1, lease_s=3)
"""Times of tests that wait for the end of a lease."""
DRAIN_S = 1.0
"""Seconds to end by itself: a connection that pymongo opens while it is cancelled stays open."""
LOOPBACK = AddressGuard(parse_networks("127.0.0.0/8"))

Document = dict[str, Any]


class ShiftedClock(SystemClock):
    """The system's clock, which a test sets ahead.

    Attributes:
        ahead: by how much.
    """

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead


class Outbox:
    """The collections of webhooks in a test's database."""

    def __init__(self, database: Database, *, key: str | None = None) -> None:
        self.key = key or Fernet.generate_key().decode()
        self.sealer = SecretSealer([self.key])
        self.database = database
        self.clock = ShiftedClock()
        self.endpoints = database[WEBHOOK_ENDPOINTS]
        self.messages = database[WEBHOOK_MESSAGES]
        self.deliveries = database[WEBHOOK_DELIVERIES]
        self.replays = database[WEBHOOK_REPLAYS]
        self.leases = MongoLeases(database, owner="test", lease_s=5)

    async def add_endpoint(self, url: str, *, secrets: Sequence[str] = (), **fields: object) -> str:
        """Add an endpoint, with one secret if none is given; return its id."""
        endpoint_id = f"wh_{random.getrandbits(100):020x}"
        now = self.clock.now()
        sealed = [
            {
                "sealed": self.sealer.seal(secret),
                "expires_at": None if index == 0 else now + timedelta(hours=1),
            }
            for index, secret in enumerate(secrets or [new_secret()])
        ]
        await self.endpoints.insert_one(
            {
                "_id": endpoint_id,
                "client_id": None,
                "url": url,
                "types": ["shipment.*"],
                "payload": "full",
                "ordering": "none",
                "rate_per_s": None,
                "description": None,
                "state": "active",
                "paused_reason": None,
                "paused_at": None,
                "created_by": "admin",
                "created_at": now,
                "updated_at": now,
                "secrets": sealed,
                "failures": 0,
                "failing_since": None,
                "rest_until": None,
                "next_due_at": None,
                "work": 0,
                "epoch": 0,
                "lease": None,
                **fields,
            }
        )
        return endpoint_id

    async def add(
        self,
        endpoint_id: str,
        count: int = 1,
        *,
        shipment: str | None = None,
        first_version: int = 1,
        **fields: object,
    ) -> list[str]:
        """Add deliveries that are due, of one shipment, or each of its own; return their ids."""
        now = self.clock.now()
        changes = [
            (f"{shipment or f'99M-{random.getrandbits(64):x}'}", first_version + index)
            for index in range(count)
        ]
        if not shipment:
            changes = [(number, 1) for number, _ in changes]
        for number, version in changes:
            data = {"tracking_number": number, "version": version}
            full = {"type": "shipment.created", "timestamp": "2026-01-01T00:00:00.000Z", "data": data}
            await self.messages.update_one(
                {"_id": f"{number}/{version}"},
                {"$setOnInsert": {"full": json.dumps(full).encode(), "thin": b'{"data":{"thin":true}}'}},
                upsert=True,
            )
        documents = [
            self._delivery(endpoint_id, number, version, now) | fields for number, version in changes
        ]
        await self.deliveries.insert_many(documents)
        await self.leases.mark_due([endpoint_id], now)
        return [document["_id"] for document in documents]

    def _delivery(self, endpoint_id: str, number: str, version: int, now: datetime) -> Document:
        return {
            "_id": delivery_id(endpoint_id, f"{number}/{version}"),
            "endpoint_id": endpoint_id,
            "message_id": f"{number}/{version}",
            "client_id": "ACME",
            "type": "shipment.created",
            "tracking_number": number,
            "version": version,
            "state": DeliveryState.PENDING.value,
            "due_at": now,
            "attempt": 0,
            "attempts": [],
            "created_at": now,
            "updated_at": now,
            "expires_at": None,
        }

    async def endpoint(self, endpoint_id: str) -> Document:
        found = await self.endpoints.find_one({"_id": endpoint_id})
        assert found is not None
        return found

    async def delivery(self, delivery: str) -> Document:
        found = await self.deliveries.find_one({"_id": delivery})
        assert found is not None
        return found

    async def states(self, endpoint_id: str) -> dict[str, int]:
        """Return the number of deliveries of an endpoint by state."""
        stages: list[Document] = [
            {"$match": {"endpoint_id": endpoint_id}},
            {"$group": {"_id": "$state", "count": {"$sum": 1}}},
        ]
        return {each["_id"]: each["count"] async for each in await self.deliveries.aggregate(stages)}

    async def reaches(self, endpoint_id: str, timeout_s: float = 30.0, **states: int) -> None:
        """Wait until an endpoint's deliveries are in these states."""

        async def reached() -> bool:
            return await self.states(endpoint_id) == states

        await wait_for(reached, timeout_s=timeout_s, what=f"deliveries {states}")

    async def reaches_attempt(self, delivery: str, attempt: int) -> None:
        """Wait until so many attempts at a delivery are recorded."""

        async def reached() -> bool:
            return int((await self.delivery(delivery))["attempt"]) >= attempt

        await wait_for(reached, timeout_s=20, what=f"attempt {attempt}")

    async def is_paused(self, endpoint_id: str) -> None:
        """Wait until an endpoint is paused."""

        async def paused() -> bool:
            return bool((await self.endpoint(endpoint_id))["state"] == "paused")

        await wait_for(paused, timeout_s=20, what="a paused endpoint")

    async def change(self, endpoint_id: str, **fields: object) -> None:
        """Change an endpoint as the management does."""
        changes = {**fields, "updated_at": self.clock.now() + timedelta(milliseconds=1)}
        await self.endpoints.update_one({"_id": endpoint_id}, {"$set": changes, "$inc": {"work": 1}})

    async def delivered_and_held(self, endpoint_id: str, count: int) -> int:
        """Wait until so many deliveries are delivered or held; return the number of delivered ones."""

        async def ended() -> bool:
            states = await self.states(endpoint_id)
            return int(states.get("delivered", 0) + states.get("held", 0)) == count

        await wait_for(ended, timeout_s=20, what="delivered and held ones")
        return (await self.states(endpoint_id))["delivered"]

    async def any_delivery(self, endpoint_id: str) -> Document:
        found = await self.deliveries.find_one({"endpoint_id": endpoint_id})
        assert found is not None
        return found

    async def add_replay(self, endpoint_id: str, **fields: object) -> str:
        """Add a replay of the last day's failed and held deliveries; return its id."""
        now = self.clock.now()
        replay_id = f"rp_{random.getrandbits(100):020x}"
        await self.replays.insert_one(
            {
                "_id": replay_id,
                "endpoint_id": endpoint_id,
                "from": now - timedelta(days=1),
                "to": now + timedelta(seconds=1),
                "states": ["failed", "held"],
                "types": [],
                "state": "running",
                "cursor": None,
                "created_at": now,
                "expires_at": now + timedelta(days=30),
                **fields,
            }
        )
        return replay_id

    async def replay_ends(self, replay_id: str) -> None:
        """Wait until a replay is done."""

        async def is_done() -> bool:
            found = await self.replays.find_one({"_id": replay_id})
            return found is not None and found["state"] == "done"

        await wait_for(is_done, timeout_s=30, what="the end of a replay")

    async def free_replays(self) -> None:
        """End the leases of replays, and of endpoints."""
        await self.replays.update_many({}, {"$unset": {"leased_until": ""}})
        await self.endpoints.update_many({}, {"$set": {"lease": None}})

    async def rests(self, endpoint_id: str) -> None:
        """Wait until an endpoint rests, and nobody has its lease."""

        async def resting() -> bool:
            found = await self.endpoint(endpoint_id)
            until = found["rest_until"]
            return found["lease"] is None and until is not None and bool(until > self.clock.now())

        await wait_for(resting, timeout_s=20, what="a resting endpoint")

    async def rests_until_due(self, endpoint_id: str) -> None:
        """Wait until nothing is due for an endpoint, and nobody has its lease."""

        async def waiting() -> bool:
            found = await self.endpoint(endpoint_id)
            due_at = found["next_due_at"]
            return found["lease"] is None and (due_at is None or bool(due_at > self.clock.now()))

        await wait_for(waiting, timeout_s=20, what="an endpoint with nothing due")

    @asynccontextmanager
    async def delivering(
        self, *, slots: int = 64, owner: str = "test", timing: Timing = TIMING
    ) -> AsyncIterator["Running"]:
        """Send what is due while the context lasts."""
        registry = CollectorRegistry()
        async with open_sender(LOOPBACK, self.clock, timing=timing) as sender:
            delivering = Delivering(
                DeliveringParts(
                    database=self.database,
                    sender=sender,
                    sealer=self.sealer,
                    metrics=WebhookMetrics(registry, slots=slots),
                    clock=self.clock,
                    owner=owner,
                    slots=slots,
                    timing=timing,
                    spread=lambda: 0.0,
                )
            )
            stop = asyncio.Event()
            running = asyncio.create_task(run_workers((delivering,), stop, drain_s=DRAIN_S))
            try:
                yield Running(delivering, registry)
            finally:
                stop.set()
                await running


class Running:
    """A replica's sending, and its metrics."""

    def __init__(self, delivering: Delivering, registry: CollectorRegistry) -> None:
        self.delivering = delivering
        self._registry = registry

    async def ended(self) -> None:
        """Wait until it has ended, after `stop`."""
        (task,) = [task for task in asyncio.all_tasks() if task.get_name() == Delivering.__name__]
        await asyncio.wait((task,), timeout=20)
        assert task.done()

    def metric(self, name: str, **labels: str) -> float:
        return self._registry.get_sample_value(name, labels) or 0.0
