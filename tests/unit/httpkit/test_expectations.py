"""100 Continue: sent once, to clients that wait for it, and only when the body is read."""

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
    """Send a head with `Expect`; without `body`, send it after 100 Continue; return the received bytes."""
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


async def test_continue_is_sent_once_for_a_body_that_is_read(client: Client) -> None:
    seen = await exchanged(client, "/echo")
    assert (seen.count(CONTINUE), seen.startswith(CONTINUE)) == (1, True)
    assert b'{"length":5}' in seen


async def test_continue_is_not_sent_for_a_body_that_arrived(client: Client) -> None:
    seen = await exchanged(client, "/echo", body=b"hello")
    assert CONTINUE not in seen
    assert b'{"length":5}' in seen


@pytest.mark.parametrize(("path", "status"), [("/private", b"401"), ("/ignore", b"200")])
async def test_continue_is_not_sent_for_an_unread_body_and_the_connection_closes(
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
async def test_unmatched_request_is_rejected_without_continue(
    client: Client, method: str, path: str, status: bytes
) -> None:
    seen = await exchanged(client, path, method=method)
    assert seen.startswith(b"HTTP/1.1 " + status)
    assert b"connection: close" in seen.lower()
    assert (b"Allow: " in seen) == (status == b"405")


async def test_options_sends_no_continue(client: Client) -> None:
    seen = await exchanged(client, "/echo", method="OPTIONS")
    assert seen.startswith(b"HTTP/1.1 204 ")
    assert b"connection: close" in seen.lower()


async def test_http_1_0_gets_no_continue(client: Client) -> None:
    seen = await exchanged(client, "/echo", version="1.0", body=b"hello")
    assert b"100 Continue" not in seen
    assert b'{"length":5}' in seen
