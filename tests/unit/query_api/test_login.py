"""POST /auth/login."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.access.accounts import ApiKey, User, api_key_created, user_changed
from domain.access.permissions import Role
from domain.ports.core import Revocation
from httpkit.middleware.auth import InvalidToken, TokenIssuer, TokenVerifier
from httpkit.middleware.revoked_tokens import Revocations, user_name
from httpkit.response.errors import ApiError
from query_api.use_cases.logins import KeyLogin, PasswordLogin, secret_hash
from storage.mongo.accounts.hashing_turns import MAX_PER_ADDRESS
from storage.mongo.accounts.users import PasswordHasher
from tests.support.builders import NOON
from tests.support.fakes import FixedClock, InMemoryApiKeyStore
from tests.unit.query_api.conftest import AUTH, CLIENT, DRIVER, HASHER, Api, World, user

WRONG = "INVALID_CREDENTIALS"


async def log_in(api: Api, body: object) -> tuple[int, dict[str, Any]]:
    response = await api.client.post("/auth/login", json=body)
    return response.status, await response.json()


@pytest.fixture(autouse=True)
async def users(world: World) -> None:
    await world.users.add(user(CLIENT, await HASHER.hash("correct horse")))
    await world.users.add(user(DRIVER, await HASHER.hash("correct horse"), disabled=True))


async def test_correct_password_returns_a_token(api: Api) -> None:
    status, body = await log_in(api, {"username": CLIENT.subject, "password": "correct horse"})
    token = body.pop("token")
    assert (status, body) == (200, {"expires_in": 86400, "token_type": "Bearer"})
    assert TokenVerifier(AUTH).verify(token) == CLIENT


async def test_a_token_is_stored_nowhere(api: Api) -> None:
    body = {"username": CLIENT.subject, "password": "correct horse"}
    response = await api.client.post("/auth/login", json=body)
    assert response.headers["Cache-Control"] == "no-store"


async def test_reason_of_a_failed_login_is_not_returned(api: Api) -> None:
    refused = [
        {"username": CLIENT.subject, "password": "wrong"},
        {"username": "nobody", "password": "correct horse"},
        {"username": DRIVER.subject, "password": "correct horse"},
        {"username": CLIENT.subject, "password": "correct horse" + "x" * 72},
        {"username": "a\0b", "password": "\0"},
    ]
    responses = [await log_in(api, body) for body in refused]
    assert {(status, body["error"]) for status, body in responses} == {(401, WRONG)}
    assert len({body["message"] for _, body in responses}) == 1


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/username", "/password"]),
        ({"username": "", "password": "x"}, ["/username"]),
        ({"username": {"$ne": None}, "password": {"$ne": None}}, ["/username", "/password"]),
        ({"username": "a", "password": "b", "role": "admin"}, ["/role"]),
        ([], [""]),
    ],
)
async def test_invalid_login_body_is_400(api: Api, body: object, pointers: list[str]) -> None:
    status, response = await log_in(api, body)
    assert (status, response["error"]) == (400, "VALIDATION_ERROR")
    assert [detail["pointer"] for detail in response["details"]] == pointers


async def test_a_huge_body_is_413(api: Api) -> None:
    assert (await log_in(api, {"username": "x" * 10_000, "password": "x"}))[0] == 413


async def test_one_address_with_many_names_does_not_make_others_wait(world: World) -> None:
    hasher = PasswordHasher(cost=6, threads=1)
    login = PasswordLogin(world.users, hasher, world.guard, TokenIssuer(AUTH))
    refused: list[ApiError] = []

    async def guess(number: int) -> None:
        with pytest.raises(ApiError) as refusal:
            await login.token(f"nobody-{number}", "password123", address="198.51.100.7")
        refused.append(refusal.value)

    guesses = [asyncio.create_task(guess(number)) for number in range(90)]
    await asyncio.sleep(0)
    assert await login.token(CLIENT.subject, "correct horse", address="203.0.113.9")
    assert len([each for each in refused if each.status == 401]) <= 3
    await asyncio.gather(*guesses)
    hasher.close()
    statuses = Counter(each.status for each in refused)
    assert set(statuses) == {401, 429}
    assert statuses[401] == 1 + MAX_PER_ADDRESS


async def test_known_user_of_an_address_has_precedence(world: World) -> None:
    address = "198.51.100.7"
    await world.guard.succeeded(CLIENT.subject, address)
    hasher = PasswordHasher(cost=6, threads=1)
    login = PasswordLogin(world.users, hasher, world.guard, TokenIssuer(AUTH))
    guesses = [
        asyncio.create_task(login.token(f"nobody-{number}", "password123", address=address))
        for number in range(90)
    ]
    await asyncio.sleep(0.01)
    assert await login.token(CLIENT.subject, "correct horse", address=address)
    assert sum(not guess.done() for guess in guesses) >= MAX_PER_ADDRESS - 3  # they are still waiting
    outcomes = await asyncio.gather(*guesses, return_exceptions=True)
    hasher.close()
    assert {each.status for each in outcomes if isinstance(each, ApiError)} == {401, 429}


class Meanwhile(PasswordHasher):
    """Hasher that runs a callback while a password is being checked."""

    def __init__(self, happens: Callable[[], Awaitable[object]]) -> None:
        super().__init__(cost=4, threads=1)
        self._happens = happens

    async def verify(
        self, password: str, password_hash: str | None, *, stranger_at: str | None = None
    ) -> bool:
        is_right = await super().verify(password, password_hash, stranger_at=stranger_at)
        await self._happens()
        return is_right


def cut_off(at: datetime) -> Revocation:
    name = user_name(CLIENT.subject)
    return Revocation(name=name, issued_until=at, recorded_at=at, expires_at=at + timedelta(days=1))


class Moments:
    """A clock that is advanced, and a revocation at each of its times."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC) - timedelta(minutes=1)
        self.known = Revocations()

    def timestamp(self) -> float:
        return self.now.timestamp()

    async def cut_off(self) -> None:
        self.now += timedelta(seconds=1)
        self.known.add([cut_off(self.now)])
        self.now += timedelta(seconds=1)


async def changed(world: World, **changes: object) -> User:
    old = await world.users.find(CLIENT.subject)
    assert old is not None
    new = replace(old, updated_at=datetime.now(UTC), **changes)  # type: ignore[arg-type]
    assert await world.users.replace(old, new, revocations=(), action=user_changed(old, new, by="admin"))
    return new


async def log_in_while(
    world: World, happens: Callable[[], Awaitable[object]], clock: Callable[[], float] = time.time
) -> str:
    hasher = Meanwhile(happens)
    try:
        login = PasswordLogin(world.users, hasher, world.guard, TokenIssuer(AUTH, clock=clock))
        return await login.token(CLIENT.subject, "correct horse", address="203.0.113.9")
    finally:
        hasher.close()


@pytest.mark.parametrize("change", [{"disabled": True}, {"password_hash": "another"}])
async def test_user_locked_out_during_the_check_gets_no_token(world: World, change: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as refusal:
        await log_in_while(world, lambda: changed(world, **change))
    assert refusal.value.status == 401


async def test_token_has_the_role_set_during_the_check(world: World) -> None:
    token = await log_in_while(world, lambda: changed(world, role=Role.PRODUCER, client_id=None))
    assert TokenVerifier(AUTH).verify(token).role is Role.PRODUCER


async def test_revocation_during_the_check_covers_the_token(world: World) -> None:
    moments = Moments()
    token = await log_in_while(world, moments.cut_off, moments.timestamp)
    with pytest.raises(InvalidToken, match="revoked"):
        TokenVerifier(AUTH, moments.known).verify(token)


async def test_a_login_right_after_a_change_outlives_its_cut_off(world: World) -> None:
    new = await changed(world, password_hash=await HASHER.hash("correct horse"))
    known = Revocations()
    known.add([cut_off(new.updated_at)])
    login = PasswordLogin(world.users, HASHER, world.guard, TokenIssuer(AUTH, clock=new.updated_at.timestamp))
    token = await login.token(CLIENT.subject, "correct horse", address="203.0.113.9")
    assert TokenVerifier(AUTH, known).verify(token) == CLIENT


async def test_revocation_during_a_key_lookup_covers_the_token(world: World) -> None:
    moments = Moments()

    class Keys(InMemoryApiKeyStore):
        async def find(self, key_id: str) -> tuple[User, ApiKey] | None:
            found = await super().find(key_id)
            await moments.cut_off()
            return found

    keys = Keys(world.users, world.revocations, world.actions)
    key = ApiKey(key_id="a" * 16, secret_hash=secret_hash("s" * 43), created_at=NOON)
    await keys.add(CLIENT.subject, key, most=1, action=api_key_created(CLIENT.subject, key, by="admin"))
    login = KeyLogin(keys, TokenIssuer(AUTH, clock=moments.timestamp), FixedClock())
    token = await login.token(f"wb_live_{key.key_id}_{'s' * 43}")
    with pytest.raises(InvalidToken, match="revoked"):
        TokenVerifier(AUTH, moments.known).verify(token)


async def test_one_of_several_concurrent_password_changes_succeeds(api: Api) -> None:
    token = TokenIssuer(AUTH).issue(CLIENT)
    change = {"current_password": "correct horse", "new_password": "blue-truck-seven"}
    responses = await asyncio.gather(
        *(api.ask("POST", "/auth/password", change, who=token) for _ in range(4))
    )
    assert sorted(response.status for response in responses) == [204, 401, 401, 401]
