"""Revoked tokens are rejected by ingest-api within a bound, with any fault of Redis; others stay valid."""

import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr
from redis.asyncio import Redis

import ingest_api.app
import ingest_api.settings
from domain.access.permissions import Principal, Role
from httpkit.middleware.auth import TokenIssuer
from httpkit.settings import AuthSettings, HttpSettings, LimitSettings
from messaging.settings import KafkaSettings
from query_api.app import build_app
from query_api.settings import LoginSettings, PasswordSettings, ReadingMongoSettings, Settings
from servicekit.settings import Environment, ServiceSettings
from storage.mongo.database import Database
from storage.settings import RedisSettings
from tests.support.proxy import Proxy
from tests.support.waiting import wait_for
from tests.unit.query_api.conftest import Api

pytestmark = [pytest.mark.stack, pytest.mark.slow]

STALE_S = 2.0
AUTH = AuthSettings(
    env=Environment.PRODUCTION,
    jwt_secret=SecretStr("4f1d0c7b9a8e6352" * 2),
    jwt_revocation_poll_s=0.1,
    jwt_revocation_stale_s=STALE_S,
)
ADMIN = Principal("admin_user", Role.ADMIN)
BELIEVED = 400  # the empty body is looked at
REFUSED = {401, 503}  # 503 while the process is young


@dataclass
class Pair:
    """A query API and an ingest-api on one MongoDB and one Redis, which is reached through a proxy."""

    proxy: Proxy
    redis: Redis
    settings: ingest_api.settings.Settings
    queries: Api
    stack: AsyncExitStack
    events: Api = field(init=False)

    async def start_ingest(self) -> None:
        app = ingest_api.app.build_app(self.settings)
        self.events = Api(await self.stack.enter_async_context(TestClient(TestServer(app))))

    async def answer(self, token: str) -> int:
        return (await self.events.ask("POST", "/events", {}, who=token)).status

    async def until(self, token: str, statuses: set[int], what: str) -> None:
        async def there() -> bool:
            return await self.answer(token) in statuses

        await wait_for(there, timeout_s=15.0, what=what)

    async def cache(self) -> str:
        report = await (await self.events.client.get("/health")).json()
        return str(report["checks"]["cache"])

    async def well(self, *, is_well: bool = True) -> None:
        async def has_state() -> bool:
            return await self.cache() == ("ok" if is_well else "degraded")

        await wait_for(has_state, timeout_s=15.0, what="health to report the cache")

    async def user(self) -> str:
        name = f"driver_{uuid4().hex[:8]}"
        body = {"username": name, "password": "blue-truck-seven", "role": "producer"}
        assert (await self.queries.ask("POST", "/auth/users", body)).status == 201
        return name

    async def disable(self, name: str) -> None:
        response = await self.queries.ask("PATCH", f"/auth/users/{name}", {"disabled": True})
        assert response.status == 200


@pytest.fixture
async def pair(
    mongo_uri: str, database: Database, redis_settings: RedisSettings, redis_client: Redis
) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(Proxy(redis_settings.address).running())
        redis = RedisSettings(REDIS_ADDR=proxy.address, REDIS_DB=redis_settings.db)  # type: ignore[call-arg]
        service = ServiceSettings(env=Environment.PRODUCTION)
        http, limits, kafka = HttpSettings(port=0), LimitSettings(), KafkaSettings()
        queries = Settings(
            service=service,
            http=http,
            auth=AUTH,
            passwords=PasswordSettings(bcrypt_cost=10),
            logins=LoginSettings(revocation_heal_s=0.2),
            limits=limits,
            mongo=ReadingMongoSettings(MONGO_URI=mongo_uri, MONGO_DB=database.name),  # type: ignore[call-arg]
            redis=redis,
            kafka=kafka,
        )
        events = ingest_api.settings.Settings(
            service=service,
            http=http,
            auth=AUTH,
            limits=limits,
            kafka=kafka,
            redis=redis,
            ingest=ingest_api.settings.IngestSettings(),
        )
        client = await stack.enter_async_context(TestClient(TestServer(build_app(queries))))
        both = Pair(proxy, redis_client, events, Api(client), stack)
        await both.start_ingest()
        yield both


@contextlib.asynccontextmanager
async def out_of_order(pair: Pair, trouble: str) -> AsyncIterator[None]:
    if trouble == "away":
        pair.proxy.stall()
        yield
        pair.proxy.heal()
        return
    await pair.redis.config_set("min-replicas-to-write", 1)
    try:
        yield
    finally:
        await pair.redis.config_set("min-replicas-to-write", 0)


@pytest.mark.parametrize("trouble", ["away", "read-only"])
async def test_disabled_user_is_rejected_within_the_bound_and_a_fresh_login_works(
    pair: Pair, trouble: str
) -> None:
    name, bystander = await pair.user(), TokenIssuer(AUTH).issue(Principal("bystander", Role.PRODUCER))
    token = TokenIssuer(AUTH).issue(Principal(name, Role.PRODUCER))
    await pair.until(token, {BELIEVED}, "the token to be believed")
    async with out_of_order(pair, trouble):
        await pair.disable(name)
        await pair.until(token, REFUSED, "the disabled user's token to be refused")
        await pair.well(is_well=False)
        fresh = TokenIssuer(AUTH).issue(Principal("bystander", Role.PRODUCER))
        assert await pair.answer(fresh) == BELIEVED
    await pair.until(bystander, {BELIEVED}, "others to be believed again")
    await pair.until(token, {401}, "the disabled user's token to be known for what it is")
    await pair.well()


async def test_deleted_list_accepts_no_revoked_token(pair: Pair) -> None:
    name = await pair.user()
    token = TokenIssuer(AUTH).issue(Principal(name, Role.PRODUCER))
    await pair.disable(name)
    await pair.until(token, {401}, "the token to be refused")
    await pair.redis.delete("revocations")
    await pair.start_ingest()  # it has never seen the list
    responses = {await pair.answer(token)}

    async def is_published_again() -> bool:
        responses.add(await pair.answer(token))
        return await pair.cache() == "ok"

    await wait_for(is_published_again, timeout_s=15.0, what="the list to be has_state again")
    assert await pair.answer(token) == 401
    old = TokenIssuer(AUTH, clock=lambda: time.time() - 60).issue(ADMIN)
    assert await pair.answer(old) == BELIEVED
