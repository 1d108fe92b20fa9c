"""Users on the real MongoDB."""

import asyncio
from dataclasses import replace

import pytest

from domain.access.accounts import User
from domain.access.permissions import Role
from domain.errors import StoreUnavailable
from storage.mongo.accounts.users import MongoUserStore, PasswordHasher, seed_development_users
from storage.mongo.database import Database, open_database
from storage.settings import MongoSettings
from tests.support.builders import NOON

pytestmark = pytest.mark.stack

CLIENT = User(
    username="client_user_001",
    password_hash="$2b$04$hash",  # noqa: S106  # no secret: it opens nothing
    role=Role.CLIENT,
    client_id="client_001",
    created_at=NOON,
    updated_at=NOON,
)


async def test_a_user_is_found_as_it_was_added(database: Database) -> None:
    users = MongoUserStore(database)
    disabled = replace(CLIENT, username="old", role=Role.PRODUCER, client_id=None, disabled=True)
    assert await users.add(CLIENT)
    assert await users.add(disabled)
    assert await users.find("client_user_001") == CLIENT
    assert await users.find("old") == disabled
    assert await users.find("nobody") is None


@pytest.mark.race
async def test_user_name_is_unique(database: Database) -> None:
    users = MongoUserStore(database)
    taken = replace(CLIENT, role=Role.ADMIN)
    added = await asyncio.gather(*(users.add(CLIENT) for _ in range(5)))
    assert added.count(True) == 1
    assert not await users.add(taken)
    assert await users.find("client_user_001") == CLIENT


async def test_users_are_listed_by_name(database: Database) -> None:
    users = MongoUserStore(database)
    for name in ("c", "a", "b"):
        await users.add(replace(CLIENT, username=name))
    page, total = await users.page(limit=2, offset=1)
    assert ([user.username for user in page], total) == (["b", "c"], 3)


@pytest.mark.race
async def test_seeding_twice_at_once_adds_each_user_once(database: Database) -> None:
    users, hasher = MongoUserStore(database), PasswordHasher(cost=4)
    await asyncio.gather(
        *(seed_development_users(users, hasher, development=True, now=NOON) for _ in range(2))
    )
    found, total = await users.page(limit=10, offset=0)
    assert (len(found), total) == (4, 4)
    assert all([await hasher.verify("password123", user.password_hash) for user in found])
    hasher.close()


async def test_unreachable_user_store_is_unavailable() -> None:
    away = MongoSettings(
        MONGO_URI="mongodb://%2Fnowhere%2Fmongodb.sock",
        MONGO_TIMEOUT_S=0.2,  # type: ignore[call-arg]
    )
    async with open_database(away) as database:
        users = MongoUserStore(database)
        with pytest.raises(StoreUnavailable):
            await users.find("client_user_001")
        with pytest.raises(StoreUnavailable):
            await users.add(CLIENT)
        with pytest.raises(StoreUnavailable):
            await users.page(limit=1, offset=0)
