"""Connections to Redis, with the timeouts that its driver lacks by default."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ReadOnlyError

from storage.settings import RedisSettings


@asynccontextmanager
async def open_redis(settings: RedisSettings) -> AsyncIterator[Redis]:
    """Open Redis; does not wait for the server. Commands fail after the timeout, without a retry.

    The driver's default is ten retries of five seconds each: one command to a hung server would hold its
    caller for a minute.
    """
    client = Redis(
        host=settings.host,
        port=settings.port,
        db=settings.db,
        username=settings.username,
        password=settings.password.get_secret_value() if settings.password else None,
        ssl=settings.tls,
        ssl_ca_certs=str(settings.tls_ca_file) if settings.tls_ca_file else None,
        socket_timeout=settings.timeout_s,
        socket_connect_timeout=settings.timeout_s,
        retry=Retry(NoBackoff(), 0),
        # No retry either, but a new connection: the address may resolve to the new primary by now.
        retry_on_error=[ReadOnlyError],
    )
    try:
        yield client
    finally:
        await client.aclose()
