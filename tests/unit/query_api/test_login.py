"""POST /auth/login."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from httpkit.auth import TokenIssuer, TokenVerifier
from httpkit.errors import ApiError
from query_api.logins import PasswordLogin
from storage.turns import MAX_PER_ADDRESS
from storage.users import PasswordHasher
from tests.unit.query_api.conftest import AUTH, CLIENT, DRIVER, HASHER, Api, World, user

WRONG = "INVALID_CREDENTIALS"


async def log_in(api: Api, body: object) -> tuple[int, dict[str, Any]]:
    answer = await api.client.post("/auth/login", json=body)
    return answer.status, await answer.json()


@pytest.fixture(autouse=True)
async def users(world: World) -> None:
    await world.users.add(user(CLIENT, await HASHER.hash("correct horse")))
    await world.users.add(user(DRIVER, await HASHER.hash("correct horse"), disabled=True))


async def test_a_right_password_gives_a_token(api: Api) -> None:
    status, body = await log_in(api, {"username": CLIENT.subject, "password": "correct horse"})
    token = body.pop("token")
    assert (status, body) == (200, {"expires_in": 86400, "token_type": "Bearer"})
    assert TokenVerifier(AUTH).verify(token) == CLIENT


async def test_a_token_is_stored_nowhere(api: Api) -> None:
    body = {"username": CLIENT.subject, "password": "correct horse"}
    answer = await api.client.post("/auth/login", json=body)
    assert answer.headers["Cache-Control"] == "no-store"


async def test_the_reason_of_a_refusal_is_not_told(api: Api) -> None:
    refused = [
        {"username": CLIENT.subject, "password": "wrong"},
        {"username": "nobody", "password": "correct horse"},
        {"username": DRIVER.subject, "password": "correct horse"},
        {"username": CLIENT.subject, "password": "correct horse" + "x" * 72},
        {"username": "a\0b", "password": "\0"},
    ]
    answers = [await log_in(api, body) for body in refused]
    assert {(status, body["error"]) for status, body in answers} == {(401, WRONG)}
    assert len({body["message"] for _, body in answers}) == 1


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
async def test_a_body_of_another_form_is_400(api: Api, body: object, pointers: list[str]) -> None:
    status, answer = await log_in(api, body)
    assert (status, answer["error"]) == (400, "VALIDATION_ERROR")
    assert [detail["pointer"] for detail in answer["details"]] == pointers


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


async def test_who_has_logged_in_from_an_address_goes_first(world: World) -> None:
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
