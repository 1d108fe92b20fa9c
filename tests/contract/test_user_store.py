"""`UserStore`: users by name, each name once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.access.accounts import User
from domain.access.permissions import Role
from domain.ports.core import UserStore
from tests.support.builders import NOON
from tests.support.fakes import InMemoryUserStore

CLIENT = User(
    username="client_user_001",
    password_hash="$2b$12$not-a-real-hash",  # noqa: S106  # of no password
    role=Role.CLIENT,
    client_id="client_001",
    created_at=NOON,
    updated_at=NOON + timedelta(milliseconds=1),
)
ADMIN = replace(CLIENT, username="admin_user", role=Role.ADMIN, client_id=None, disabled=True)


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.stack)])
def users(request: pytest.FixtureRequest) -> UserStore:
    if request.param == "memory":
        return InMemoryUserStore()
    from storage.mongo.accounts.users import MongoUserStore  # noqa: PLC0415  # only with the stack

    return MongoUserStore(request.getfixturevalue("database"))


@pytest.mark.parametrize("user", [CLIENT, ADMIN], ids=lambda user: user.username)
async def test_a_user_is_found_as_it_was_added(users: UserStore, user: User) -> None:
    assert await users.add(user) is True
    assert await users.find(user.username) == user


@pytest.mark.parametrize("name", ["", "nobody", "CLIENT_USER_001", "client_user_00", "$ne", ".*"])
async def test_any_other_name_is_nobody(users: UserStore, name: str) -> None:
    await users.add(CLIENT)
    assert await users.find(name) is None


async def test_a_name_that_is_taken_stays_with_the_first(users: UserStore) -> None:
    await users.add(CLIENT)
    assert await users.add(replace(CLIENT, role=Role.ADMIN, client_id=None)) is False
    assert await users.find(CLIENT.username) == CLIENT
    assert await users.page(limit=10, offset=0) == ([CLIENT], 1)


async def test_adding_the_very_same_user_again_is_taken_too(users: UserStore) -> None:
    await users.add(CLIENT)
    assert await users.add(CLIENT) is False


@pytest.mark.parametrize(
    ("limit", "offset", "expected"), [(10, 0, "abcd"), (2, 0, "ab"), (2, 2, "cd"), (2, 3, "d"), (2, 4, "")]
)
async def test_users_are_paged_by_name(users: UserStore, limit: int, offset: int, expected: str) -> None:
    for name in "cadb":
        await users.add(replace(CLIENT, username=name))
    page, total = await users.page(limit=limit, offset=offset)
    assert ("".join(user.username for user in page), total) == (expected, 4)


async def test_no_users_are_an_empty_page(users: UserStore) -> None:
    assert await users.page(limit=10, offset=0) == ([], 0)
