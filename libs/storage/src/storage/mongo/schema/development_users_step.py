"""Migration step that marks the development users of older databases."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import bcrypt

from storage.mongo.database import Database
from storage.mongo.development_users import DEVELOPMENT_PASSWORD, SEEDS

_TOKENS_LAST_AT_MOST: Final = timedelta(days=30)


async def mark_seeded_users(database: Database, *, users: str, revoked: str) -> None:
    """Mark users with a seed's name and the seed's password, and revoke their tokens.

    Users with such a name and a password of their own are left alone.

    Args:
        database: of the users.
        users: the collection of users.
        revoked: the collection of revocations.
    """
    now = datetime.now(UTC)
    revocation = {"issued_until": now, "recorded_at": now, "expires_at": now + _TOKENS_LAST_AT_MOST}
    names = [seed.username for seed in SEEDS]
    found = await database[users].find({"_id": {"$in": names}, "seeded": {"$ne": True}}).to_list()
    for user in found:
        known = user["password_hash"].encode()
        if await asyncio.to_thread(bcrypt.checkpw, DEVELOPMENT_PASSWORD.encode(), known):
            await database[revoked].replace_one({"_id": f"sub:{user['_id']}"}, revocation, upsert=True)
            await database[users].update_one({"_id": user["_id"]}, {"$set": {"seeded": True}})
