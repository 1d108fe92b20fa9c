"""Heads that are made to hold a process up: each field is read in next to no time, or refused by its size."""

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
    """Whatever is sent."""


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
    answer = await connection.exchange(f"{head}\r\n\r\n{body}".encode())
    assert answer is not None
    return answer.status


@pytest.mark.parametrize("name", FIELDS)
async def test_no_field_holds_a_process_up(name: str) -> None:
    async with serving(application(), HTTP) as runner:
        connection = RawConnection(*runner.addresses[0])
        for text in hostile(LARGEST_HEAD):
            own = "" if name == "Content-Type" else "\r\nContent-Type: application/json"
            head = f"POST / HTTP/1.1\r\nHost: x{own}\r\nContent-Length: 2\r\n{name}: {text}"
            with quick(f"{name}: {text[:20]}…"):
                assert await status_of(connection, head, "{}") < 500
        await connection.close()


async def test_no_token_holds_a_process_up() -> None:
    async with serving(application(), HTTP) as runner:
        connection = RawConnection(*runner.addresses[0])
        for text in hostile(LARGEST_HEAD):
            with quick(text[:20]):
                head = f"GET /guarded HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {text}"
                assert await status_of(connection, head) == 401
        await connection.close()


@pytest.mark.parametrize("target", ["/?{}", "/?a={}", "/{}", "/guarded?{}"])
async def test_no_target_holds_a_process_up(target: str) -> None:
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
async def test_what_is_too_long_is_told_by_its_own_status(head: str, status: int, code: str) -> None:
    async with serving(application(), HTTP) as runner:
        connection = RawConnection(*runner.addresses[0])
        answer = await connection.exchange(f"{head}\r\n\r\n".encode())
        await connection.close()
    assert answer is not None
    assert (answer.status, json.loads(answer.body)["error"]) == (status, code)


async def test_a_line_of_nine_kilobytes_is_taken() -> None:
    async with serving(application(), HTTP) as runner:
        connection = RawConnection(*runner.addresses[0])
        assert await status_of(connection, f"GET /health HTTP/1.1\r\nHost: x\r\nX: {'a' * 9_000}") == 200
        await connection.close()
