"""ingest-api on the topics of one test's site: in this process, or as a test build in one of its own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from multiprocessing.process import BaseProcess
from typing import Final

import aiohttp
from opentelemetry.trace import Tracer
from pydantic import SecretStr

from httpkit.server.app_server import serving
from httpkit.settings import AuthSettings, HttpSettings, LimitSettings
from ingest_api.app import build_app
from ingest_api.settings import IngestSettings, Settings
from servicekit.background_tasks import in_background
from servicekit.clock import SystemClock
from servicekit.settings import Environment, ServiceSettings
from storage.mongo.accounts.revocations import RedisRevocationFeed
from storage.redis.connection import open_redis
from tests.e2e.tokens import signed
from tests.support.api import Api, open_api
from tests.support.crashing.processes import service_process
from tests.support.ports import unused_port
from tests.support.site import Site
from tests.support.waiting import wait_for

SECRET: Final = "signs the tokens of these tests, and no others"  # noqa: S105  # public


@asynccontextmanager
async def ingesting(
    site: Site, instance: str = "ingest-inside", *, tracer: Tracer | None = None
) -> AsyncIterator[Api]:
    """Run an ingest-api in this process; give an admin's connections to it, once it is ready."""
    env = Environment.DEVELOPMENT
    settings = Settings(
        service=ServiceSettings(env=env, instance_id=instance),
        http=HttpSettings(port=0),
        auth=AuthSettings(env=env, jwt_secret=SecretStr(SECRET)),
        limits=LimitSettings(),
        kafka=site.kafka,
        redis=site.redis,
        ingest=IngestSettings(),
    )
    async with (
        serving(build_app(settings, tracer=tracer), settings.http) as runner,
        _admin_at(runner.addresses[0][1]) as admin,
    ):
        yield admin


@asynccontextmanager
async def ingest_process(
    site: Site, instance: str, env: Mapping[str, str]
) -> AsyncIterator[tuple[BaseProcess, Api]]:
    """Run an ingest-api in a process of its own; see `ingesting` and `service_process`."""
    port = unused_port()
    own = {**site.environment(instance), "PORT": str(port), "JWT_SECRET": SECRET}
    with service_process("ingest-api", {**own, **env}) as process:
        async with _admin_at(port) as admin:
            yield process, admin


@asynccontextmanager
async def _admin_at(port: int) -> AsyncIterator[Api]:
    async with open_api(f"http://127.0.0.1:{port}") as api:

        async def ready() -> bool:
            try:
                return (await api.get("/health/ready")).status == 200
            except aiohttp.ClientError:
                return False

        await wait_for(ready, timeout_s=20, what="ingest-api")
        yield api.by(signed(SECRET))


@asynccontextmanager
async def renewing_ended_tokens(site: Site) -> AsyncIterator[None]:
    """Keep the list of ended tokens whole while the context lasts, as a query-api does.

    Without it, the cache is degraded, and only young tokens are believed. On entry the list is there.
    """
    async with open_redis(site.redis) as redis:
        feed = RedisRevocationFeed(redis, SystemClock(), retention_s=3600)

        async def renew() -> None:
            while True:
                await asyncio.sleep(1)
                await feed.publish((), as_of=SystemClock().now(), whole=True)

        await feed.publish((), as_of=SystemClock().now(), whole=True)
        async with in_background(renew(), name="renewing"):
            yield
