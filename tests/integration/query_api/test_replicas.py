"""Two replicas of the query API on real stores: limits, lockout, logout hold across both."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from domain.access.permissions import Principal, Role
from httpkit.middleware.auth import TokenIssuer
from httpkit.settings import AuthSettings, HttpSettings, LimitSettings
from messaging.settings import KafkaSettings
from query_api.app import build_app
from query_api.settings import LoginSettings, PasswordSettings, ReadingMongoSettings, Settings
from servicekit.settings import Environment, ServiceSettings
from storage.mongo.database import Database
from storage.settings import RedisSettings
from tests.faults.matrix import Row
from tests.support.proxy import Proxy
from tests.support.waiting import wait_for
from tests.unit.query_api.conftest import Api

# `redis_client` empties Redis first.
pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.usefixtures("redis_client")]

AUTH = AuthSettings(
    env=Environment.PRODUCTION, jwt_secret=SecretStr("4f1d0c7b9a8e6352" * 2), jwt_revocation_poll_s=0.1
)
ADMIN = Principal("admin_user", Role.ADMIN)
TOKEN = TokenIssuer(AUTH).issue(ADMIN)
READS = 10
WRONG = {"username": "nobody", "password": "wrong"}


@dataclass(frozen=True)
class Replicas:
    redis: Proxy
    one: Api
    other: Api

    async def reads(self, times: int) -> list[int]:
        """Read at both in turn."""
        turns = [self.one, self.other] * times
        return [(await api.ask("GET", "/auth/users", who=TOKEN)).status for api in turns[:times]]


@pytest.fixture
async def replicas(
    mongo_uri: str, database: Database, redis_settings: RedisSettings
) -> AsyncIterator[Replicas]:
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(Proxy(redis_settings.address).running())
        settings = Settings(
            service=ServiceSettings(env=Environment.PRODUCTION),
            http=HttpSettings(port=0),
            auth=AUTH,
            passwords=PasswordSettings(bcrypt_cost=10),
            logins=LoginSettings(free_failures=3, revocation_heal_s=0.1),
            limits=LimitSettings(reads_per_s=READS),
            mongo=ReadingMongoSettings(MONGO_URI=mongo_uri, MONGO_DB=database.name),  # type: ignore[call-arg]
            redis=RedisSettings(REDIS_ADDR=redis.address, REDIS_DB=redis_settings.db),  # type: ignore[call-arg]
            kafka=KafkaSettings(),
        )
        clients = [
            await stack.enter_async_context(TestClient(TestServer(build_app(settings)))) for _ in range(2)
        ]
        yield Replicas(redis, *map(Api, clients))


async def test_a_budget_is_shared(replicas: Replicas) -> None:
    statuses = await replicas.reads(4 * READS)
    assert 200 in statuses
    assert 429 in statuses


@pytest.mark.fault(Row.REDIS_AWAY)
async def test_each_replica_still_throttles_without_redis(replicas: Replicas) -> None:
    replicas.redis.stall()
    statuses = [(await replicas.one.ask("GET", "/auth/users", who=TOKEN)).status for _ in range(6 * READS)]
    assert 429 in statuses
    refused = [(await replicas.one.ask("POST", "/auth/login", WRONG, who=None)).status for _ in range(5)]
    assert refused[:3] == [401] * 3
    assert 429 in refused


async def test_failed_logins_at_one_replica_lock_the_other(replicas: Replicas) -> None:
    for _ in range(4):
        await replicas.one.ask("POST", "/auth/login", WRONG, who=None)
    assert (await replicas.other.ask("POST", "/auth/login", WRONG, who=None)).status == 429


@pytest.mark.parametrize("redis_is_there", [True, False])
async def test_logout_at_one_replica_holds_at_the_other(replicas: Replicas, redis_is_there: bool) -> None:  # noqa: FBT001  # a parameter of the test
    if not redis_is_there:
        replicas.redis.stall()
    token = TokenIssuer(AUTH).issue(Principal("somebody", Role.ADMIN))
    assert (await replicas.one.ask("POST", "/auth/logout", who=token)).status == 204

    async def is_out() -> bool:
        return (await replicas.other.ask("GET", "/auth/users", who=token)).status == 401

    await wait_for(is_out, timeout_s=10.0, what="the other replica to hear of it")
