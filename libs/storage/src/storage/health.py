"""Asks the stores whether they are there."""

from typing import Final

from redis.asyncio import Redis

from storage.mongo.database import Database
from storage.mongo.errors import translated

_PROBE_KEY: Final = "health:probe"
_PROBE_KEPT_S: Final = 60


async def ping_database(database: Database) -> bool:
    """Say whether MongoDB answers.

    Raises:
        StoreUnavailable: it does not.
    """
    with translated():
        await database.command("ping")
    return True


async def ping_redis(redis: Redis) -> bool:
    """Say whether Redis answers and takes writes: one that only reads is none to all who use it.

    Raises:
        RedisError: it does not.
    """
    return bool(await redis.set(_PROBE_KEY, b"1", ex=_PROBE_KEPT_S))
