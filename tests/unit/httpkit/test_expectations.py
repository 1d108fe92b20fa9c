"""100 Continue: once, to those who wait for it, and only when the body is wanted."""

import asyncio

import pytest
from aiohttp import web

from domain.access.permissions import Permission
from httpkit.request.bodies import read_body
from httpkit.response.json_responses import json_response
from httpkit.routes import Route
from tests.unit.httpkit.conftest import Client, Serve

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


async def echo(request: web.Request) -> web.Response:
    return json_response({"length": len(await read_body(request))})


async def ignore(_request: web.Request) -> web.Response:
    return json_response({})


@pytest.fixture
async def client(serve: Serve) -> Client:
    return await serve(
        Route("POST", "/echo", echo, None),
        Route("POST", "/ignore", ignore, None),
        Route("GET", "/things/{id}", ignore, None),
        Route("POST", "/private", echo, Permission.EVENT_REPORT),
    )


async def exchanged(
    client: Client, path: str, *, method: str = "POST", version: str = "1.1", body: bytes | None = None
) -> bytes:
    """Send a head that expects; without `body`, send that once it is asked for, and return all that came."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    head = f"{method} {path} HTTP/{version}\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    writer.write(head.encode() + (body or b""))
    seen = b""
    async with asyncio.timeout(5):
        while not seen.endswith(b"}\n") and b" 204 " not in seen and (chunk := await reader.read(65_536)):
            seen += chunk
            if seen == CONTINUE and body is None:
                writer.write(b"hello")
    writer.close()
    return seen


async def test_a_body_that_is_wanted_is_asked_for_once(client: Client) -> None:
    seen = await exchanged(client, "/echo")
    assert (seen.count(CONTINUE), seen.startswith(CONTINUE)) == (1, True)
    assert b'{"length":5}' in seen


async def test_a_body_that_came_unasked_is_not_asked_for(client: Client) -> None:
    seen = await exchanged(client, "/echo", body=b"hello")
    assert CONTINUE not in seen
    assert b'{"length":5}' in seen


@pytest.mark.parametrize(("path", "status"), [("/private", b"401"), ("/ignore", b"200")])
async def test_a_body_that_nobody_reads_is_not_asked_for_and_ends_the_connection(
    client: Client, path: str, status: bytes
) -> None:
    seen = await exchanged(client, path)
    assert seen.startswith(b"HTTP/1.1 " + status)
    assert b"connection: close" in seen.lower()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/nothing", b"404"),
        ("POST", "/", b"404"),
        ("PUT", "/echo", b"405"),
        ("POST", "/things/7", b"405"),
    ],
)
async def test_what_no_route_matches_is_refused_before_its_body_is_asked_for(
    client: Client, method: str, path: str, status: bytes
) -> None:
    seen = await exchanged(client, path, method=method)
    assert seen.startswith(b"HTTP/1.1 " + status)
    assert b"connection: close" in seen.lower()
    assert (b"Allow: " in seen) == (status == b"405")


async def test_options_asks_for_no_body(client: Client) -> None:
    seen = await exchanged(client, "/echo", method="OPTIONS")
    assert seen.startswith(b"HTTP/1.1 204 ")
    assert b"connection: close" in seen.lower()


async def test_http_1_0_knows_no_continue(client: Client) -> None:
    seen = await exchanged(client, "/echo", version="1.0", body=b"hello")
    assert b"100 Continue" not in seen
    assert b'{"length":5}' in seen
