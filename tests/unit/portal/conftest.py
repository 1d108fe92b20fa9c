"""The portal on in-memory adapters."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from httpkit.server.health import State
from httpkit.settings import HttpSettings, LimitSettings
from messaging.settings import KafkaSettings
from portal.adapters import Adapters
from portal.app import build_app
from portal.settings import PortalSettings, Settings
from servicekit.settings import Environment, ServiceSettings
from storage.redis.rate_limiter import LocalRateLimiter
from storage.settings import MongoSettings, RedisSettings
from tests.support.builders import NOON
from tests.support.fakes import (
    Documents,
    FixedClock,
    InMemoryStatusChanges,
    InMemoryStatusReader,
)
from tests.support.fakes.public import InMemoryLinkStore, InMemoryPublicShipmentReader

Client = TestClient[web.Request, web.Application]
OpenPortal = Callable[..., Awaitable[Client]]


def settings(brand: PortalSettings | None = None) -> Settings:
    """Return the settings of a portal."""
    return Settings(
        service=ServiceSettings(env=Environment.PRODUCTION),
        http=HttpSettings(port=0),
        limits=LimitSettings(),
        kafka=KafkaSettings(),
        mongo=MongoSettings(),
        redis=RedisSettings(),
        portal=brand or PortalSettings(),
    )


@dataclass
class World:
    """The stores behind the portal, and its clock."""

    documents: Documents = field(default_factory=Documents)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOON))

    def __post_init__(self) -> None:
        self.public_shipments = InMemoryPublicShipmentReader(self.documents)
        self.links = InMemoryLinkStore(self.documents)
        self.statuses = InMemoryStatusReader(self.documents)
        self.changes = InMemoryStatusChanges()

    @asynccontextmanager
    async def opened(self, _settings: Settings, _registry: CollectorRegistry) -> AsyncIterator[Adapters]:
        async def probe() -> State:
            return State.OK

        yield Adapters(
            clock=self.clock,
            statuses=self.statuses,
            changes=self.changes,
            public_shipments=self.public_shipments,
            links=self.links,
            limiter=LocalRateLimiter(),
            probes={"database": probe, "cache": probe},
        )


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def open_portal(world: World) -> AsyncIterator[OpenPortal]:
    """Return a function that opens a portal, of a brand if one is given."""
    async with AsyncExitStack() as stack:

        async def opened(brand: PortalSettings | None = None) -> Client:
            app = build_app(settings(brand), opening=world.opened)
            return await stack.enter_async_context(TestClient(TestServer(app)))

        yield opened


@pytest.fixture
async def portal(open_portal: OpenPortal) -> Client:
    return await open_portal()
