"""Users, keys, logout and the rotation of keys, at the level of the app."""

from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from httpkit.auth import TokenIssuer
from query_api.app import build_app
from tests.unit.query_api.conftest import ADMIN, AUTH, CLIENT, DRIVER, HASHER, Api, World, settings, user

GOOD = {"username": "ana", "password": "blue-truck-seven", "role": "producer"}


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({"username": "a b"}, ["/username"]),
        ({"username": "a:b"}, ["/username"]),
        ({"username": ".."}, ["/username"]),
        ({"username": "ñandú"}, ["/username"]),
        ({"username": "x" * 65}, ["/username"]),
        ({"password": "short"}, ["/password"]),
        ({"password": "ñ" * 37}, ["/password"]),
        ({"password": "Password123"}, ["/password"]),
        ({"username": "blue-truck-seven"}, ["/password"]),
        ({"password": "nul\0nul\0nul"}, ["/password"]),
        ({"role": "client"}, ["/client_id"]),
        ({"client_id": "client_001"}, ["/client_id"]),
        ({"role": "root", "password": 7}, ["/password", "/role"]),
        ({"password_hash": "x"}, ["/password_hash"]),
    ],
)
async def test_a_user_that_makes_no_sense_is_400(
    api: Api, change: dict[str, Any], pointers: list[str]
) -> None:
    answer = await api.ask("POST", "/auth/users", GOOD | change)
    body = await answer.json()
    assert (answer.status, [each["pointer"] for each in body["details"]]) == (400, pointers)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 400),
        ({"role": "client"}, 400),
        ({"role": "client", "client_id": "client_007"}, 200),
        ({"client_id": "client_007"}, 400),
        ({"password": "driver_user_001"}, 400),
        ({"password": "blue-truck-eight"}, 200),
        ({"disabled": "yes"}, 400),
    ],
)
async def test_changes_must_make_sense_together(
    api: Api, world: World, change: dict[str, Any], status: int
) -> None:
    await world.users.add(user(DRIVER))
    assert (await api.ask("PATCH", "/auth/users/driver_user_001", change)).status == status
    assert len(world.revocations.recorded) == (1 if status == 200 else 0)


async def test_a_client_that_becomes_a_producer_loses_its_client(api: Api, world: World) -> None:
    await world.users.add(user(CLIENT))
    answer = await api.ask("PATCH", f"/auth/users/{CLIENT.subject}", {"role": "producer"})
    assert (await answer.json())["client_id"] is None


async def test_a_user_has_twenty_keys_at_most(api: Api, world: World) -> None:
    await world.users.add(user(DRIVER))
    made = [await api.ask("POST", "/auth/users/driver_user_001/api-keys") for _ in range(21)]
    assert [answer.status for answer in made] == [201] * 20 + [409]


async def test_what_redis_forgets_it_is_told_again(api: Api, world: World) -> None:
    token = TokenIssuer(AUTH).issue(ADMIN)
    assert (await api.ask("POST", "/auth/logout", who=token)).status == 204
    world.feed.forget()
    async with TestClient(TestServer(build_app(settings(), opening=world.opened))) as replica:
        other = Api(replica)
        await other.ask("GET", "/health", who=None)  # it heals as soon as it runs
        assert (await other.ask("GET", "/auth/users", who=token)).status == 401
    assert len((await world.feed.news()).revocations) == 1


async def test_keys_rotate_without_anybody_noticing(world: World) -> None:
    await world.users.add(user(ADMIN, await HASHER.hash("correct horse")))
    new = {"jwt_kid": "next", "jwt_secret": SecretStr("b7c3a19e5d204f68" * 2)}
    rotated = AUTH.model_copy(update=new | {"jwt_retired_secrets": {"1": AUTH.jwt_secret}})
    ended = AUTH.model_copy(update=new)

    @asynccontextmanager
    async def running(auth: Any) -> Any:  # noqa: ANN401
        world.auth = auth
        async with TestClient(TestServer(build_app(settings(auth=auth), opening=world.opened))) as client:
            yield Api(client)

    async def log_in(api: Api) -> str:
        body = {"username": ADMIN.subject, "password": "correct horse"}
        return str((await (await api.ask("POST", "/auth/login", body, who=None)).json())["token"])

    async with running(AUTH) as before:
        old = await log_in(before)
    async with running(rotated) as during:
        young = await log_in(during)
        assert [(await during.ask("GET", "/auth/users", who=each)).status for each in (old, young)] == [
            200,
            200,
        ]
    async with running(ended) as after:
        assert [(await after.ask("GET", "/auth/users", who=each)).status for each in (old, young)] == [
            401,
            200,
        ]
