"""`ApiKeyStore`, `RevocationStore`, `RevocationFeed`, and what `UserStore` changes together with them."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from domain.permissions import Role
from domain.ports import ApiKey, ApiKeyStore, Revocation, RevocationFeed, RevocationStore, User, UserStore
from storage.api_keys import MongoApiKeyStore
from storage.revocations import MongoRevocationStore, RedisRevocationFeed
from storage.users import MongoUserStore
from tests.support.builders import NOON
from tests.support.fakes import (
    FixedClock,
    InMemoryApiKeyStore,
    InMemoryRevocationFeed,
    InMemoryRevocationStore,
    InMemoryUserStore,
)

DRIVER = User(
    username="driver",
    password_hash="$2b$04$hash",  # noqa: S106  # of no password
    role=Role.PRODUCER,
    client_id=None,
    created_at=NOON,
    updated_at=NOON,
)
KEY = ApiKey(key_id="a" * 16, secret_hash="0" * 64, created_at=NOON)  # of no secret
REVOCATION = Revocation(
    name="sub:dri|ver", issued_until=NOON, recorded_at=NOON, expires_at=NOON + timedelta(days=3650)
)


@dataclass(frozen=True)
class Stores:
    users: UserStore
    keys: ApiKeyStore
    revocations: RevocationStore


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.stack)])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        revocations = InMemoryRevocationStore()
        users = InMemoryUserStore(revocations=revocations)
        return Stores(users, InMemoryApiKeyStore(users, revocations), revocations)
    database = request.getfixturevalue("database")
    return Stores(MongoUserStore(database), MongoApiKeyStore(database), MongoRevocationStore(database))


async def test_a_key_is_found_with_its_user(stores: Stores) -> None:
    await stores.users.add(DRIVER)
    assert await stores.keys.add("driver", KEY, most=2) is True
    assert await stores.keys.find(KEY.key_id) == (DRIVER, KEY)
    assert await stores.keys.find("b" * 16) is None
    assert await stores.keys.of_user("driver") == [KEY]
    assert await stores.keys.of_user("nobody") == []


async def test_a_user_has_only_so_many_keys(stores: Stores) -> None:
    await stores.users.add(DRIVER)
    added = [await stores.keys.add("driver", replace(KEY, key_id=str(i)), most=2) for i in range(3)]
    assert added == [True, True, False]
    assert await stores.keys.add("nobody", KEY, most=2) is False


async def test_a_key_is_removed_together_with_its_tokens(stores: Stores) -> None:
    await stores.users.add(DRIVER)
    await stores.keys.add("driver", KEY, most=2)
    assert await stores.keys.remove("nobody", KEY.key_id, revocation=REVOCATION) is False
    assert await stores.revocations.since(None) == []
    assert await stores.keys.remove("driver", KEY.key_id, revocation=REVOCATION) is True
    assert await stores.keys.find(KEY.key_id) is None
    assert await stores.revocations.since(None) == [REVOCATION]


async def test_a_key_remembers_when_it_was_used_last(stores: Stores) -> None:
    await stores.users.add(DRIVER)
    await stores.keys.add("driver", KEY, most=2)
    for seconds in (60, 30):
        await stores.keys.touch(KEY.key_id, at=NOON + timedelta(seconds=seconds))
    assert [key.last_used_at for key in await stores.keys.of_user("driver")] == [NOON + timedelta(seconds=60)]


async def test_a_user_is_changed_together_with_its_tokens_and_keeps_its_keys(stores: Stores) -> None:
    await stores.users.add(DRIVER)
    await stores.keys.add("driver", KEY, most=2)
    changed = replace(DRIVER, disabled=True, updated_at=NOON + timedelta(seconds=1))
    assert await stores.users.replace(DRIVER, changed, revocation=REVOCATION) is True
    assert await stores.users.find("driver") == changed
    assert await stores.revocations.since(NOON) == [REVOCATION]
    assert await stores.keys.of_user("driver") == [KEY]


async def test_a_user_whom_others_have_changed_is_left_alone(stores: Stores) -> None:
    await stores.users.add(replace(DRIVER, updated_at=NOON + timedelta(seconds=1)))
    assert await stores.users.replace(DRIVER, replace(DRIVER, disabled=True), revocation=REVOCATION) is False
    assert await stores.revocations.since(None) == []


async def test_revocations_are_asked_for_by_when_they_were_made(stores: Stores) -> None:
    later = replace(REVOCATION, name="jti:2", recorded_at=NOON + timedelta(seconds=1))
    for each in (REVOCATION, later, later):
        await stores.revocations.add(each)
    assert await stores.revocations.since(NOON + timedelta(milliseconds=1)) == [later]


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.stack)])
def feed(request: pytest.FixtureRequest) -> RevocationFeed:
    if request.param == "memory":
        return InMemoryRevocationFeed()
    return RedisRevocationFeed(request.getfixturevalue("redis_client"), FixedClock(), keep_s=3600)


async def test_what_is_published_is_news(feed: RevocationFeed) -> None:
    assert await feed.is_whole() is False
    assert list(await feed.news()) == []
    assert await feed.publish([REVOCATION]) is True
    assert list(await feed.news()) == [REVOCATION]
    assert await feed.publish([], whole=True) is True
    assert await feed.is_whole() is True
    assert list(await feed.news()) == [REVOCATION]


async def test_out_of_reach_there_is_no_news(redis_that_is_gone: Redis) -> None:
    gone = RedisRevocationFeed(redis_that_is_gone, FixedClock(), keep_s=3600)
    assert await gone.is_whole() is None
    assert await gone.publish([REVOCATION]) is False
    assert list(await gone.news()) == []
