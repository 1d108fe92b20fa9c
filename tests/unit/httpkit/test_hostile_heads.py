"""Hostile request heads: each field is parsed in bounded time, or rejected for its size."""

import json

import pytest
from aiohttp import web
from pydantic import BaseModel, TypeAdapter

from domain.access.permissions import Permission
from httpkit.middleware.auth import TokenVerifier
from httpkit.middleware.http_metrics import new_registry
from httpkit.middleware.request_spans import traceparent_of
from httpkit.request.addresses import client_address
from httpkit.request.bodies import read_json, read_query
from httpkit.request.prefer import preferences
from httpkit.response.json_responses import json_response
from httpkit.routes import Route
from httpkit.server.app_server import build_app, serving
from httpkit.server.connections import MAX_HEAD_BYTES, MAX_TARGET_BYTES
from httpkit.server.health import Health
from httpkit.settings import HttpSettings
from tests.support.hostile import FIELDS, LARGEST_HEAD, LARGEST_TARGET, hostile, quick
from tests.support.raw_http import RawConnection
from tests.unit.httpkit.conftest import AUTH

HTTP = HttpSettings(port=0, trusted_proxies=1, shutdown_timeout_s=0.3)


class Anything(BaseModel):
    """Any request."""


async def read_all(request: web.Request) -> web.Response:
    preferences(request)
    client_address(request)
    traceparent_of(request)
    read_query(request, TypeAdapter(Anything))
    await read_json(request, TypeAdapter(Anything))
    return json_response({})


async def never(_request: web.Request) -> web.Response:
    raise AssertionError


def application() -> web.Application:
    routes = [
        Route("POST", "/", read_all, None),
        Route("GET", "/guarded", never, Permission.SHIPMENT_READ),
    ]
    return build_app(
        HTTP, routes, health=Health({}), registry=new_registry("t"), verifier=TokenVerifier(AUTH)
    )


async def status_of(connection: RawConnection, head: str, body: str = "") -> int:
    response = await connection.exchange(f"{head}\r\n\r\n{body}".encode())
    assert response is not None
    return response.status


@pytest.mark.parametrize("name", FIELDS)
async def test_hostile_field_takes_bounded_time(name: str) -> None:
    async with serving(application(), HTTP) as runner:
        connection = RawConnection(*runner.addresses[0])
        for text in hostile(LARGEST_HEAD):
            own = "" if name == "Content-Type" else "\r\nContent-Type: application/json"
            head = f"POST / HTTP/1.1\r\nHost: x{own}\r\nContent-Length: 2\r\n{name}: {text}"
            with quick(f"{name}: {text[:20]}…"):
                assert await status_of(connection, head, "{}") < 500
        await connection.close()


async def test_hostile_token_takes_bounded_time() -> None:
    async with serving(application(), HTTP) as runner:
        connection = RawConnection(*runner.addresses[0])
        for text in hostile(LARGEST_HEAD):
            with quick(text[:20]):
                head = f"GET /guarded HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {text}"
                assert await status_of(connection, head) == 401
        await connection.close()


@pytest.mark.parametrize("target", ["/?{}", "/?a={}", "/{}", "/guarded?{}"])
async def test_hostile_target_takes_bounded_time(target: str) -> None:
    async with serving(application(), HTTP) as runner:
        connection = RawConnection(*runner.addresses[0])
        for text in ("a&", "a=1&", "=&", "%41", "%", "+", "/", "../", ";", "&"):
            endless = target.format(text * (LARGEST_TARGET // len(text)))
            with quick(endless[:20]):
                await status_of(connection, f"GET {endless} HTTP/1.1\r\nHost: x")
        await connection.close()


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        (f"GET /{'a' * MAX_TARGET_BYTES} HTTP/1.1\r\nHost: x", 414, "URI_TOO_LONG"),
        (f"GET / HTTP/1.1\r\nHost: x\r\nX: {'a' * (MAX_HEAD_BYTES + 100)}", 431, "FIELDS_TOO_LARGE"),
        ("GET / HTTP/1.1\r\nHost: x" + "\r\nX: a" * 200, 431, "FIELDS_TOO_LARGE"),
    ],
)
async def test_long_targets_and_fields_have_their_own_status(head: str, status: int, code: str) -> None:
    async with serving(application(), HTTP) as runner:
        connection = RawConnection(*runner.addresses[0])
        response = await connection.exchange(f"{head}\r\n\r\n".encode())
        await connection.close()
    assert response is not None
    assert (response.status, json.loads(response.body)["error"]) == (status, code)


async def test_header_of_nine_kilobytes_is_accepted() -> None:
    async with serving(application(), HTTP) as runner:
        connection = RawConnection(*runner.addresses[0])
        assert await status_of(connection, f"GET /health HTTP/1.1\r\nHost: x\r\nX: {'a' * 9_000}") == 200
        await connection.close()
