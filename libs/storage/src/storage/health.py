"""Asks the stores whether they are there."""

from redis.asyncio import Redis

from storage.client import Database
from storage.errors import translated


async def ping_database(database: Database) -> bool:
    """Say whether MongoDB answers.

    Raises:
        StoreUnavailable: it does not.
    """
    with translated():
        await database.command("ping")
    return True


async def ping_redis(redis: Redis) -> bool:
    """Say whether Redis answers.

    Raises:
        RedisError: it does not.
    """
    return bool(await redis.ping())
