"""Users, API keys, logout and key rotation, at the level of the app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from domain.access.permissions import Principal
from httpkit.middleware.auth import TokenIssuer
from query_api.app import build_app
from servicekit.settings import Environment
from storage.mongo.development_users import DEVELOPMENT_PASSWORD
from tests.support.waiting import wait_for
from tests.unit.query_api.conftest import ADMIN, AUTH, CLIENT, DRIVER, HASHER, Api, World, settings, user

GOOD = {"username": "ana", "password": "blue-truck-seven", "role": "producer"}


NOTHING: dict[str, Any] = dict.fromkeys(("role", "client_id", "disabled", "password", "allowed_sources"))


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
async def test_inconsistent_user_is_400(api: Api, change: dict[str, Any], pointers: list[str]) -> None:
    response = await api.ask("POST", "/auth/users", GOOD | change)
    body = await response.json()
    assert (response.status, [each["pointer"] for each in body["details"]]) == (400, pointers)


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
        (NOTHING, 400),
        (NOTHING | {"password": "blue-truck-eight"}, 200),
        ({"role": "client", "client_id": "client_007", "allowed_sources": None}, 200),
    ],
)
async def test_inconsistent_change_of_a_user_is_400(
    api: Api, world: World, change: dict[str, Any], status: int
) -> None:
    await world.users.add(user(DRIVER))
    assert (await api.ask("PATCH", "/auth/users/driver_user_001", change)).status == status
    assert len(world.revocations.recorded) == (1 if status == 200 else 0)


async def test_null_field_equals_an_absent_one(api: Api, world: World) -> None:
    made = await api.ask("POST", "/auth/users", GOOD | {"client_id": None, "allowed_sources": None})
    assert (made.status, (await made.json())["allowed_sources"]) == (201, [])
    await world.users.add(user(CLIENT))
    change: dict[str, Any] = NOTHING | {"disabled": True}
    response = await api.ask("PATCH", f"/auth/users/{CLIENT.subject}", change)
    changed = await response.json()
    assert (changed["role"], changed["client_id"], changed["disabled"]) == ("client", CLIENT.client_id, True)


async def test_empty_allowed_sources_remove_the_restriction(api: Api) -> None:
    assert (await api.ask("POST", "/auth/users", GOOD | {"allowed_sources": ["dock-"]})).status == 201
    for sources, left in ((None, ["dock-"]), ([], [])):
        change: dict[str, Any] = {"disabled": False, "allowed_sources": sources}
        response = await api.ask("PATCH", "/auth/users/ana", change)
        assert (response.status, (await response.json())["allowed_sources"]) == (200, left)


async def test_a_client_that_becomes_a_producer_loses_its_client(api: Api, world: World) -> None:
    await world.users.add(user(CLIENT))
    response = await api.ask("PATCH", f"/auth/users/{CLIENT.subject}", {"role": "producer"})
    assert (await response.json())["client_id"] is None


async def test_a_user_has_twenty_keys_at_most(api: Api, world: World) -> None:
    await world.users.add(user(DRIVER))
    made = [await api.ask("POST", "/auth/users/driver_user_001/api-keys") for _ in range(21)]
    assert [response.status for response in made] == [201] * 20 + [409]


async def test_revocations_lost_by_redis_are_republished(api: Api, world: World) -> None:
    token = TokenIssuer(AUTH).issue(ADMIN)
    assert (await api.ask("POST", "/auth/logout", who=token)).status == 204
    world.feed.forget()
    async with TestClient(TestServer(build_app(settings(), opening=world.opened))) as replica:
        other = Api(replica)
        await other.ask("GET", "/health", who=None)  # it heals as soon as it runs
        assert (await other.ask("GET", "/auth/users", who=token)).status == 401
    assert len((await world.feed.news()).revocations) == 1


@pytest.mark.timeout(20)  # a round of healing takes 30 s
async def test_revocations_missed_by_redis_are_published_when_it_is_back(api: Api, world: World) -> None:
    await world.users.add(user(DRIVER))
    world.feed.reachable = False
    assert (await api.ask("PATCH", "/auth/users/driver_user_001", {"disabled": True})).status == 200
    world.feed.reachable = True

    async def is_published() -> bool:
        return [each.name for each in (await world.feed.news()).revocations] == ["sub:driver_user_001"]

    await wait_for(is_published, timeout_s=10.0, what="Redis to have it")


async def test_signing_keys_rotate_without_rejected_tokens(world: World) -> None:
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


@pytest.mark.parametrize(
    ("method", "path", "body", "who", "status"),
    [
        ("POST", "/auth/login", {"username": "ana", "password": "wrong"}, None, 401),
        ("POST", "/auth/login", ["no", "object"], None, 400),
        ("GET", "/auth/login", None, None, 405),
        ("POST", "/auth/login", {"username": "x" * 10_000}, None, 413),
        ("POST", "/auth/token", {"api_key": "wb_live_none"}, None, 401),
        ("POST", "/auth/logout", None, None, 401),
        ("POST", "/auth/logout", None, "no token", 401),
        ("POST", "/auth/password", {"new_password": "short"}, ADMIN, 400),
        ("GET", "/auth/users", None, CLIENT, 403),
        ("GET", "/auth/users/nobody", None, ADMIN, 404),
        ("PATCH", "/auth/users/nobody", {"disabled": True}, ADMIN, 404),
        ("GET", "/auth/users?limit=0", None, ADMIN, 400),
        ("GET", "/auth/nothing", None, ADMIN, 404),
    ],
)
async def test_errors_of_auth_are_not_cached(
    api: Api, method: str, path: str, body: object, who: Principal | str | None, status: int
) -> None:
    response = await api.ask(method, path, body, who=who)
    assert (response.status, response.headers.get("Cache-Control")) == (status, "no-store")


async def test_internal_errors_of_auth_are_not_cached(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(username: str) -> None:
        raise RuntimeError(username)

    monkeypatch.setattr(world.users, "find", broken)
    response = await api.ask("GET", "/auth/users/ana")
    assert (response.status, response.headers["Cache-Control"]) == (500, "no-store")


async def test_development_users_cannot_log_in_to_production(world: World) -> None:
    @asynccontextmanager
    async def running(env: Environment) -> AsyncIterator[Api]:
        app = build_app(settings(env, AUTH.model_copy(update={"env": env})), opening=world.opened)
        async with TestClient(TestServer(app)) as client:
            yield Api(client)

    known = {"username": "admin_user", "password": DEVELOPMENT_PASSWORD}
    async with running(Environment.DEVELOPMENT) as api:
        logged_in = await api.ask("POST", "/auth/login", known, who=None)
        token = (await logged_in.json())["token"]
        made = await api.ask("POST", "/auth/users/admin_user/api-keys", who=token)
        key = {"api_key": (await made.json())["api_key"]}
        exchanged = await api.ask("POST", "/auth/token", key, who=None)
        assert (logged_in.status, made.status, exchanged.status) == (200, 201, 200)
        by_key = (await exchanged.json())["token"]
    async with running(Environment.PRODUCTION) as api:
        for path, body in (("/auth/login", known), ("/auth/token", key)):
            refused = await api.ask("POST", path, body, who=None)
            assert (path, refused.status, (await refused.json())["error"]) == (
                path,
                401,
                "INVALID_CREDENTIALS",
            )
        for live in (token, by_key):
            assert (await api.ask("GET", "/auth/users", who=live)).status == 401


async def test_a_wrong_current_password_counts_towards_the_lock(api: Api, world: World) -> None:
    await world.users.add(user(DRIVER, await HASHER.hash("correct horse")))
    guess = {"current_password": "wrong", "new_password": "green-train-eight"}
    guesses = [(await api.ask("POST", "/auth/password", guess, who=DRIVER)).status for _ in range(6)]
    assert guesses == [401] * 5 + [429]
    right = {"username": DRIVER.subject, "password": "correct horse"}
    locked = await api.ask("POST", "/auth/login", right, who=None)
    assert (locked.status, locked.headers["Cache-Control"]) == (429, "no-store")
    assert int(locked.headers["Retry-After"]) >= 1
