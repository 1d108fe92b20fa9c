"""Health checks of MongoDB and Redis."""

from typing import Final

from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.redis.connection import RedisClient

_PROBE_KEY: Final = "health:probe"
_PROBE_LIFETIME_S: Final = 60


async def ping_database(database: Database) -> bool:
    """Return True if MongoDB responds: its primary, or a secondary where the database is read without one.

    Raises:
        StoreUnavailable: it does not.
    """
    with translated():
        await database.command("ping", read_preference=database.read_preference)
    return True


async def ping_redis(redis: RedisClient) -> bool:
    """Return True if Redis responds and accepts writes: all of its users write.

    Raises:
        RedisError: it does not.
    """
    return bool(await redis.set(_PROBE_KEY, b"1", ex=_PROBE_LIFETIME_S))
