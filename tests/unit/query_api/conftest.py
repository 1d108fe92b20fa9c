"""The query API on in-memory adapters, and its users."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from yarl import URL

from domain.access.accounts import User
from domain.access.permissions import Principal, Role
from domain.ports.core import LoginGuard, RateLimiter
from domain.processing.halts import PartitionView
from httpkit.middleware.auth import TokenIssuer
from httpkit.server.health import Check, State
from httpkit.settings import AuthSettings, HttpSettings, LimitSettings
from messaging.backlog import Waiting
from messaging.settings import KafkaSettings
from query_api.adapters import Adapters
from query_api.app import build_app
from query_api.settings import LoginSettings, PasswordSettings, ReadingMongoSettings, Settings
from servicekit.settings import Environment, ServiceSettings
from storage.mongo.accounts.users import PasswordHasher
from storage.redis.login_lockout import LocalLoginGuard
from storage.redis.rate_limiter import LocalRateLimiter
from storage.settings import RedisSettings
from tests.support.builders import NOON
from tests.support.fakes import (
    Documents,
    InMemoryActionLog,
    InMemoryApiKeyStore,
    InMemoryDeadLetterIndex,
    InMemoryDeadLetterReader,
    InMemoryEventReader,
    InMemoryLinkStore,
    InMemoryPartitionControl,
    InMemoryPublicShipmentReader,
    InMemoryQuarantineStore,
    InMemoryRevocationFeed,
    InMemoryRevocationStore,
    InMemoryShipmentReader,
    InMemoryShipmentStore,
    InMemoryStatusChanges,
    InMemoryStatusReader,
    InMemoryUserStore,
)

ADMIN = Principal("admin_user", Role.ADMIN)
CLIENT = Principal("client_user_001", Role.CLIENT, "client_001")
OTHER_CLIENT = Principal("client_user_002", Role.CLIENT, "client_002")
DRIVER = Principal("driver_user_001", Role.PRODUCER)
OTHER_DRIVER = Principal("driver_user_002", Role.PRODUCER)

HASHER = PasswordHasher(cost=4)
AUTH = AuthSettings(env=Environment.PRODUCTION, jwt_secret=SecretStr("4f1d0c7b9a8e6352" * 2))


def settings(env: Environment = Environment.PRODUCTION, auth: AuthSettings = AUTH) -> Settings:
    return Settings(
        service=ServiceSettings(env=env),
        http=HttpSettings(port=0),
        auth=auth,
        passwords=PasswordSettings(),
        logins=LoginSettings(),
        limits=LimitSettings(),
        mongo=ReadingMongoSettings(),
        redis=RedisSettings(),
        kafka=KafkaSettings(),
    )


@dataclass
class World:
    """The adapters of the API; `probes` and `event_queue` may be changed while it runs."""

    documents: Documents = field(default_factory=Documents)
    revocations: InMemoryRevocationStore = field(default_factory=InMemoryRevocationStore)
    feed: InMemoryRevocationFeed = field(default_factory=InMemoryRevocationFeed)
    auth: AuthSettings = AUTH
    limiter: RateLimiter = field(default_factory=LocalRateLimiter)
    guard: LoginGuard = field(default_factory=lambda: LocalLoginGuard(LoginSettings().policies()))
    probes: dict[str, State] = field(
        default_factory=lambda: dict.fromkeys(("database", "readable", "cache", "event_queue"), State.OK)
    )
    event_queue: State = State.OK
    depths: dict[str, Waiting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.actions = InMemoryActionLog(self.documents)
        self.users = InMemoryUserStore(revocations=self.revocations, actions=self.actions)
        self.keys = InMemoryApiKeyStore(self.users, self.revocations, self.actions)
        self.store = InMemoryShipmentStore(self.documents)
        self.shipments = InMemoryShipmentReader(self.documents)
        self.statuses = InMemoryStatusReader(self.documents)
        self.changes = InMemoryStatusChanges()
        self.public = InMemoryPublicShipmentReader(self.documents)
        self.links = InMemoryLinkStore(self.documents)
        self.events = InMemoryEventReader(self.documents)
        self.partitions = InMemoryPartitionControl(self.documents, "shipments.events")
        self.quarantine = InMemoryQuarantineStore(self.documents)
        self.dead_letters = InMemoryDeadLetterReader(self.documents)

    @asynccontextmanager
    async def opened(self, _settings: Settings, _registry: CollectorRegistry) -> AsyncIterator[Adapters]:
        yield Adapters(
            shipments=self.shipments,
            statuses=self.statuses,
            changes=self.changes,
            public=self.public,
            links=self.links,
            events=self.events,
            dead_letters=self.dead_letters,
            bin=InMemoryDeadLetterIndex(self.documents),
            actions=self.actions,
            partitions=self.partitions,
            depths=self._depths,
            quarantine=self.quarantine,
            users=self.users,
            keys=self.keys,
            revocations=self.revocations,
            feed=self.feed,
            guard=self.guard,
            limiter=self.limiter,
            hasher=HASHER,
            issuer=TokenIssuer(self.auth),
            probes={name: self._probe(name) for name in self.probes},
            event_queue=self._event_queue,
        )

    async def _depths(self, _views: Sequence[PartitionView]) -> dict[str, Waiting]:
        return self.depths

    async def _event_queue(self) -> State:
        return self.event_queue

    def _probe(self, name: str) -> Check:
        async def probe() -> State:
            return self.probes[name]

        return probe


@dataclass
class Api:
    """Client of the API that acts as a user."""

    client: TestClient[web.Request, web.Application]

    async def get(
        self, path: str, who: Principal | None = ADMIN, headers: dict[str, str] | None = None
    ) -> ClientResponse:
        bearer = {} if who is None else {"Authorization": f"Bearer {TokenIssuer(AUTH).issue(who)}"}
        return await self.client.get(path, headers=bearer | (headers or {}))

    async def head(self, path: str, who: Principal = ADMIN) -> ClientResponse:
        bearer = {"Authorization": f"Bearer {TokenIssuer(AUTH).issue(who)}"}
        return await self.client.head(path, headers=bearer)

    async def ask(
        self, method: str, path: str, body: object = None, *, who: Principal | str | None = ADMIN
    ) -> ClientResponse:
        token = TokenIssuer(AUTH).issue(who) if isinstance(who, Principal) else who
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return await self.client.request(method, path, json=body, headers=headers)


def path_of(response: ClientResponse, relation: str) -> str | None:
    """Return the target of a link of a response."""
    link = response.links.get(relation)
    return None if link is None else URL(link["url"]).raw_path_qs


def user(who: Principal, password_hash: str = "", *, disabled: bool = False) -> User:
    return User(
        username=who.subject,
        password_hash=password_hash,
        role=who.role,
        client_id=who.client_id,
        created_at=NOON,
        updated_at=NOON,
        disabled=disabled,
    )


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def api(world: World) -> AsyncIterator[Api]:
    async with TestClient(TestServer(build_app(settings(), opening=world.opened))) as client:
        yield Api(client)
