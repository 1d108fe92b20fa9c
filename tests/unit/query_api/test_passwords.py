"""Hashing of passwords, and development users."""

import asyncio
from collections.abc import Iterator

import bcrypt
import pytest

from storage.mongo.accounts.hashing_turns import NoTurn
from storage.mongo.accounts.users import PasswordHasher, PasswordTooLong, seed_development_users
from tests.support.builders import NOON
from tests.support.fakes import InMemoryUserStore


@pytest.fixture
def hasher() -> Iterator[PasswordHasher]:
    hasher = PasswordHasher(cost=4, threads=1, max_waiting=2)
    yield hasher
    hasher.close()


async def test_a_password_is_verified(hasher: PasswordHasher) -> None:
    known = await hasher.hash("contraseña")
    assert known.startswith("$2b$04$")
    assert await hasher.verify("contraseña", known)
    assert not await hasher.verify("contrasena", known)


async def test_the_same_password_has_another_hash_each_time(hasher: PasswordHasher) -> None:
    assert await hasher.hash("a") != await hasher.hash("a")


async def test_a_password_of_72_bytes_is_the_longest(hasher: PasswordHasher) -> None:
    known = await hasher.hash("ñ" * 36)
    assert await hasher.verify("ñ" * 36, known)
    assert not await hasher.verify("ñ" * 36 + "x", known)
    with pytest.raises(PasswordTooLong, match="72"):
        await hasher.hash("ñ" * 36 + "x")


async def test_unknown_user_takes_as_long_as_a_known_one(
    hasher: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[bytes] = []

    def check(_secret: bytes, known: bytes) -> bool:
        checked.append(known)
        return True

    monkeypatch.setattr(bcrypt, "checkpw", check)
    assert not await hasher.verify("nobody", None)
    assert not await hasher.verify("x" * 73, "$2b$04$known")
    assert [known[:7] for known in checked] == [b"$2b$04$", b"$2b$04$"]


async def test_too_many_concurrent_hashes_are_rejected(hasher: PasswordHasher) -> None:
    answers = await asyncio.gather(*(hasher.hash("a") for _ in range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [str, str, str, NoTurn, NoTurn]
    assert await hasher.hash("a")


async def test_development_users_are_not_seeded_in_production(hasher: PasswordHasher) -> None:
    users = InMemoryUserStore()
    with pytest.raises(PermissionError):
        await seed_development_users(users, hasher, development=False, now=NOON)
    assert await users.page(limit=1, offset=0) == ([], 0)
