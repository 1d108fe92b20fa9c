"""`ApiKeyStore`, `RevocationStore`, `RevocationFeed`, and what `UserStore` changes together with them."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from domain.access.accounts import ApiKey, User, api_key_created, api_key_removed, user_changed, user_created
from domain.access.operator_actions import OperatorAction
from domain.access.permissions import Role
from domain.errors import LastAdmin
from domain.ports.core import ActionLog, ApiKeyStore, Revocation, UserStore
from domain.ports.queries import ActionFilter, Window
from domain.ports.revocations import RevocationFeed, RevocationNews, RevocationStore
from storage.health import ping_redis
from storage.mongo.accounts.api_keys import MongoApiKeyStore
from storage.mongo.accounts.revocations import MongoRevocationStore, RedisRevocationFeed
from storage.mongo.accounts.users import MongoUserStore
from storage.mongo.operations.operator_actions import MongoActionLog
from tests.support.builders import NOON
from tests.support.fakes import (
    FixedClock,
    InMemoryActionLog,
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
ADMIN = replace(DRIVER, username="admin", role=Role.ADMIN)
KEY = ApiKey(key_id="a" * 16, secret_hash="0" * 64, created_at=NOON)  # of no secret
REVOCATION = Revocation(
    name="sub:dri|ver", issued_until=NOON, recorded_at=NOON, expires_at=NOON + timedelta(days=3650)
)


MADE = api_key_created("driver", KEY, by="ana")
ENDED = api_key_removed("driver", KEY.key_id, by="ana", at=NOON + timedelta(seconds=1))
DISABLED = user_changed(DRIVER, replace(DRIVER, disabled=True), by="ana")


@dataclass(frozen=True)
class Stores:
    users: UserStore
    keys: ApiKeyStore
    revocations: RevocationStore
    actions: ActionLog

    async def recorded_actions(self) -> list[tuple[str, str, str]]:
        """Return what was done to whom by whom, in this order."""
        page = await self.actions.page(ActionFilter(), Window(limit=100))
        return sorted((each["action"], each["target"], each["by"]) for each in page.data)


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.stack)])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        revocations, actions = InMemoryRevocationStore(), InMemoryActionLog()
        users = InMemoryUserStore(revocations=revocations, actions=actions)
        return Stores(users, InMemoryApiKeyStore(users, revocations, actions), revocations, actions)
    database = request.getfixturevalue("database")
    return Stores(
        MongoUserStore(database),
        MongoApiKeyStore(database),
        MongoRevocationStore(database),
        MongoActionLog(database),
    )


async def test_a_key_is_found_with_its_user(stores: Stores) -> None:
    await stores.users.add(DRIVER)
    assert await stores.keys.add("driver", KEY, most=2, action=MADE) is True
    assert await stores.keys.find(KEY.key_id) == (DRIVER, KEY)
    assert await stores.keys.find("b" * 16) is None
    assert await stores.keys.of_user("driver") == [KEY]
    assert await stores.keys.of_user("nobody") == []


async def test_a_user_has_only_so_many_keys(stores: Stores) -> None:
    await stores.users.add(DRIVER)
    keys = [replace(KEY, key_id=str(i)) for i in range(3)]
    added = [
        await stores.keys.add("driver", key, most=2, action=api_key_created("driver", key, by="ana"))
        for key in keys
    ]
    assert added == [True, True, False]
    assert await stores.keys.add("nobody", KEY, most=2, action=MADE) is False
    assert len(await stores.recorded_actions()) == 2


async def test_a_key_is_removed_together_with_its_tokens(stores: Stores) -> None:
    await stores.users.add(DRIVER)
    await stores.keys.add("driver", KEY, most=2, action=MADE)
    assert await stores.keys.remove("nobody", KEY.key_id, revocation=REVOCATION, action=ENDED) is False
    assert await stores.revocations.since(None) == []
    assert await stores.keys.remove("driver", KEY.key_id, revocation=REVOCATION, action=ENDED) is True
    assert await stores.keys.find(KEY.key_id) is None
    assert await stores.revocations.since(None) == [REVOCATION]
    assert await stores.recorded_actions() == [
        ("user.api_key_created", "driver", "ana"),
        ("user.api_key_removed", "driver", "ana"),
    ]


async def test_a_key_remembers_when_it_was_used_last(stores: Stores) -> None:
    await stores.users.add(DRIVER)
    await stores.keys.add("driver", KEY, most=2, action=MADE)
    for seconds in (60, 30):
        await stores.keys.touch(KEY.key_id, at=NOON + timedelta(seconds=seconds))
    assert [key.last_used_at for key in await stores.keys.of_user("driver")] == [NOON + timedelta(seconds=60)]


async def test_a_user_is_changed_together_with_its_tokens_and_keeps_its_keys(stores: Stores) -> None:
    await stores.users.add(DRIVER)
    await stores.keys.add("driver", KEY, most=2, action=MADE)
    changed = replace(DRIVER, disabled=True, updated_at=NOON + timedelta(seconds=1))
    assert await stores.users.replace(DRIVER, changed, revocations=[REVOCATION], action=DISABLED) is True
    assert await stores.users.find("driver") == changed
    assert await stores.revocations.since(NOON) == [REVOCATION]
    assert await stores.keys.of_user("driver") == [KEY]
    assert ("user.changed", "driver", "ana") in await stores.recorded_actions()


async def test_a_taken_name_is_no_action(stores: Stores) -> None:
    action = user_created(DRIVER, by="ana")
    assert [await stores.users.add(DRIVER, action=action) for _ in range(2)] == [True, False]
    assert await stores.recorded_actions() == [("user.created", "driver", "ana")]


def demoted(admin: User) -> tuple[User, OperatorAction]:
    changed = replace(admin, role=Role.PRODUCER, updated_at=NOON + timedelta(seconds=1))
    return changed, user_changed(admin, changed, by="ana")


@pytest.mark.parametrize(
    "other",
    [None, replace(ADMIN, username="other", disabled=True), replace(ADMIN, username="other", seeded=True)],
)
async def test_the_last_admin_stays(stores: Stores, other: User | None) -> None:
    """Disabled users do not count, nor do development users in other environments."""
    await stores.users.add(ADMIN)
    if other is not None:
        await stores.users.add(other)
    changed, action = demoted(ADMIN)
    with pytest.raises(LastAdmin):
        await stores.users.replace(ADMIN, changed, revocations=[REVOCATION], action=action)
    assert await stores.users.find(ADMIN.username) == ADMIN
    assert (await stores.revocations.since(None), await stores.recorded_actions()) == ([], [])


async def test_of_admins_that_are_all_demoted_at_once_one_stays(stores: Stores) -> None:
    admins = [replace(ADMIN, username=name) for name in ("ana", "bea", "cia", "dora")]
    for admin in admins:
        await stores.users.add(admin)

    async def demote(admin: User) -> bool:
        changed, action = demoted(admin)
        try:
            return await stores.users.replace(admin, changed, revocations=[], action=action)
        except LastAdmin:
            return False

    done = await asyncio.gather(*map(demote, admins))
    found, _ = await stores.users.page(limit=10, offset=0)
    assert sum(user.role is Role.ADMIN for user in found) == len(admins) - sum(done) >= 1
    assert len(await stores.recorded_actions()) == sum(done)


async def test_a_user_whom_others_have_changed_is_left_alone(stores: Stores) -> None:
    await stores.users.add(replace(DRIVER, updated_at=NOON + timedelta(seconds=1)))
    assert (
        await stores.users.replace(
            DRIVER, replace(DRIVER, disabled=True), revocations=[REVOCATION], action=DISABLED
        )
        is False
    )
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
    return RedisRevocationFeed(request.getfixturevalue("redis_client"), FixedClock(), retention_s=3600)


async def test_what_is_published_is_news(feed: RevocationFeed) -> None:
    assert await feed.is_whole() is False
    assert await feed.news() == RevocationNews([])
    assert await feed.publish([REVOCATION], as_of=NOON) is True
    assert await feed.news() == RevocationNews([REVOCATION])
    assert await feed.publish([], as_of=NOON, whole=True) is True
    assert await feed.is_whole() is True
    assert await feed.news() == RevocationNews([REVOCATION], NOON)
    later = NOON + timedelta(seconds=300)
    assert await feed.is_whole(since=later) is False
    assert await feed.publish([], as_of=later) is True
    assert await feed.is_whole(since=later) is True
    assert (await feed.news()).whole_at == later


async def test_out_of_reach_there_is_no_news(redis_that_is_gone: Redis) -> None:
    gone = RedisRevocationFeed(redis_that_is_gone, FixedClock(), retention_s=3600)
    assert await gone.is_whole() is None
    assert await gone.publish([REVOCATION], as_of=NOON, whole=True) is False
    assert await gone.news() == RevocationNews()


@pytest.mark.stack
async def test_a_list_that_was_deleted_is_not_whole_and_not_made_so_by_the_next(redis_client: Redis) -> None:
    feed = RedisRevocationFeed(redis_client, FixedClock(), retention_s=3600)
    reader = RedisRevocationFeed(redis_client, FixedClock(), retention_s=3600)
    await feed.publish([REVOCATION], as_of=NOON, whole=True)
    assert (await reader.news()).whole_at == NOON
    await redis_client.delete("revocations")
    assert await feed.is_whole(since=NOON) is False
    assert (await reader.news()).whole_at is None
    later = replace(REVOCATION, name="jti:2", recorded_at=NOON + timedelta(minutes=10))
    await feed.publish([later], as_of=NOON + timedelta(minutes=10))
    assert (await reader.news()).whole_at is None
    older = replace(REVOCATION, name="jti:3")
    await feed.publish([older, later], as_of=NOON + timedelta(minutes=10), whole=True)
    news = await reader.news()
    assert {each.name for each in news.revocations} == {"jti:2", "jti:3"}
    assert news.whole_at == NOON + timedelta(minutes=10)


@pytest.mark.stack
async def test_a_read_only_redis_returns_what_it_has_and_is_not_whole(redis_client: Redis) -> None:
    feed = RedisRevocationFeed(redis_client, FixedClock(), retention_s=3600)
    await feed.publish([REVOCATION], as_of=NOON, whole=True)
    await redis_client.config_set("min-replicas-to-write", 1)
    try:
        assert await feed.news() == RevocationNews([REVOCATION])
        assert await feed.publish([], as_of=NOON) is False
        with pytest.raises(ResponseError):
            await ping_redis(redis_client)
    finally:
        await redis_client.config_set("min-replicas-to-write", 0)
    assert (await feed.news()).whole_at == NOON
