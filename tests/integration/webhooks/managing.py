"""The management routes on a real MongoDB, called by users; nothing is fanned out or sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from cryptography.fernet import Fernet
from pydantic import SecretStr

from domain.access.permissions import Principal, Role
from httpkit.middleware.auth import TokenIssuer, TokenVerifier
from httpkit.middleware.http_metrics import new_registry
from httpkit.middleware.revoked_tokens import Revocations
from httpkit.server.health import State
from httpkit.settings import AuthSettings, HttpSettings, LimitSettings
from messaging.settings import KafkaSettings
from servicekit.clock import SystemClock
from servicekit.settings import Environment, ServiceSettings
from storage.mongo.database import Database
from storage.mongo.schema import WEBHOOK_DELIVERIES, WEBHOOK_ENDPOINTS
from storage.redis.rate_limiter import LocalRateLimiter
from storage.settings import MongoSettings, RedisSettings
from tests.support.fakes import InMemoryRevocationFeed
from webhooks.adapters import Adapters
from webhooks.app import build_app
from webhooks.openapi.samples import CHANGES
from webhooks.sealing import SecretSealer
from webhooks.sending.address_guard import AddressGuard
from webhooks.sending.sender import Sender, open_sender
from webhooks.settings import Settings, WebhookSettings
from webhooks.stores.deliveries import MongoDeliveryStore, NewDelivery
from webhooks.stores.delivery_reader import MongoDeliveryReader
from webhooks.stores.endpoints import MongoEndpointStore
from webhooks.stores.messages import MongoMessageStore
from webhooks.stores.replays import MongoReplayStore
from webhooks.use_cases.services import wire_services

Json = dict[str, Any]

AUTH = AuthSettings(env=Environment.PRODUCTION, jwt_secret=SecretStr("4f1d0c7b9a8e6352" * 2))
ADMIN = Principal("admin_user", Role.ADMIN)
CLIENT = Principal("client_user_001", Role.CLIENT, "client_001")
OTHER_CLIENT = Principal("client_user_002", Role.CLIENT, "client_002")
URL = "https://receiver.invalid/waybill"
KEY = Fernet.generate_key().decode()


@dataclass
class Told:
    """Notices, as the workers would get them."""

    notices: list[str] = field(default_factory=list)

    def endpoint_changed(self) -> None:
        self.notices.append("endpoint_changed")

    def endpoint_deleted(self) -> None:
        self.notices.append("endpoint_deleted")

    def delivery_due(self) -> None:
        self.notices.append("delivery_due")

    def replay_added(self) -> None:
        self.notices.append("replay_added")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Any
    body: Any


@dataclass
class Management:
    """The routes, and the database below them."""

    client: TestClient[Any, Any]
    database: Database
    told: Told

    async def ask(self, method: str, path: str, body: object = None, *, who: Principal = CLIENT) -> Answer:
        headers = {"Authorization": f"Bearer {TokenIssuer(AUTH).issue(who)}"}
        async with self.client.request(method, path, json=body, headers=headers) as response:
            read = await response.read()
            return Answer(response.status, response.headers, await response.json() if read else None)

    async def created(self, *, who: Principal = CLIENT, **members: object) -> Json:
        answer = await self.ask("POST", "/webhooks", {"url": URL} | members, who=who)
        assert answer.status == 201, answer.body
        body: Json = answer.body
        return body

    async def stored(self, endpoint_id: str) -> Json:
        document = await self.database[WEBHOOK_ENDPOINTS].find_one({"_id": endpoint_id})
        assert document is not None
        return document

    async def deliver(
        self, endpoint_id: str, type_: str = "shipment.picked_up", *, number: int = 0, **fields: object
    ) -> str:
        """Add a delivery as fan-out does, with other fields than it has then; return its id."""
        change = replace(CHANGES[type_], change_id=f"evt_{number}_{type_}")
        now = datetime.now(UTC)
        await MongoMessageStore(self.database).insert([change], now)
        await MongoDeliveryStore(self.database).insert([NewDelivery(change, endpoint_id, is_held=False)], now)
        deliveries = self.database[WEBHOOK_DELIVERIES]
        [found] = await deliveries.find(
            {"endpoint_id": endpoint_id, "message_id": change.change_id}
        ).to_list()
        if fields:
            await deliveries.update_one({"_id": found["_id"]}, {"$set": fields})
        return str(found["_id"])


def _settings(**webhooks: str) -> Settings:
    return Settings(
        service=ServiceSettings(env=Environment.PRODUCTION),
        http=HttpSettings(port=0),
        auth=AUTH,
        limits=LimitSettings(),
        kafka=KafkaSettings(),
        mongo=MongoSettings(),
        redis=RedisSettings(),
        webhooks=WebhookSettings(**{"keys": SecretStr(KEY), **webhooks}),  # type: ignore[arg-type]  # texts
    )


def _adapters(settings: Settings, database: Database, sender: Sender, guard: AddressGuard) -> Adapters:
    return Adapters(
        clock=SystemClock(),
        database=database,
        endpoints=MongoEndpointStore(database),
        deliveries=MongoDeliveryReader(database),
        replays=MongoReplayStore(database),
        guard=guard,
        sender=sender,
        sealer=SecretSealer(settings.webhooks.key_list()),
        feed=InMemoryRevocationFeed(),
        limiter=LocalRateLimiter(),
        probes={},
    )


async def _accepts() -> State:
    return State.OK


@asynccontextmanager
async def managing(database: Database, **webhooks: str) -> AsyncIterator[Management]:
    """Serve the routes on a database; loopback is allowed for endpoints."""
    settings = _settings(**({"allowed_networks": "127.0.0.0/8"} | webhooks))
    guard, told = AddressGuard(settings.webhooks.allowed_networks), Told()
    async with open_sender(guard, SystemClock()) as sender:
        adapters = _adapters(settings, database, sender, guard)
        verifier = TokenVerifier(settings.auth, Revocations())
        services = wire_services(adapters, told)
        app = build_app(settings, adapters, services, new_registry("webhooks"), verifier, _accepts)
        async with TestClient(TestServer(app)) as client:
            yield Management(client, database, told)
