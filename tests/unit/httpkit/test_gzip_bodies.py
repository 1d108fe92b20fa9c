"""Compressed bodies: the decompressed size is bounded, and only complete gzip is accepted."""

import asyncio
import gzip
import json
import tracemalloc

import pytest
from aiohttp import web
from pydantic import TypeAdapter

from httpkit.request.bodies import read_json
from httpkit.request.gzip_bodies import (
    MAX_MEMBERS,
    SHORT_BYTES,
    NotGzip,
    TooLong,
    decompress,
    decompress_in_turn,
)
from httpkit.response.json_responses import json_response
from httpkit.routes import Route
from tests.unit.httpkit.conftest import HTTP, Serve

BODY: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])
HEADERS = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
WHOLE = gzip.compress(b'{"a":"b"}', mtime=0)


async def echo(request: web.Request) -> web.Response:
    body = await read_json(request, BODY)
    return json_response(body)


def test_compressed_body_is_restored_exactly() -> None:
    assert decompress(gzip.compress(b"x" * 1000), bound=1000) == b"x" * 1000
    assert decompress(gzip.compress(b"a") + gzip.compress(b"b"), bound=2) == b"ab"
    with pytest.raises(TooLong):
        decompress(gzip.compress(b"x" * 1001), bound=1000)
    with pytest.raises(TooLong):
        decompress(gzip.compress(b"x" * 600) * 2, bound=1000)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{}",
        WHOLE[:-1],
        WHOLE[:12],
        WHOLE[:-8] + bytes(8),
        WHOLE + b"tail",
        gzip.compress(b"", mtime=0) * (MAX_MEMBERS + 1),
    ],
)
def test_incomplete_gzip_is_rejected(broken: bytes) -> None:
    with pytest.raises(NotGzip):
        decompress(broken, bound=1000)


def test_a_bomb_takes_the_memory_of_its_bound() -> None:
    bomb = gzip.compress(bytes(64 << 20))
    tracemalloc.start()
    with pytest.raises(TooLong):
        decompress(bomb, bound=1 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_size_decompressed_before_an_error_is_known() -> None:
    packed = gzip.compress(bytes(5000))
    for broken, most in (
        (packed[:-1], 5000),
        (packed + packed[:-1], 10_000),
        (packed[:-8] + bytes(8), 20_000),
    ):
        with pytest.raises(NotGzip) as refused:
            decompress(broken, bound=20_000)
        assert refused.value.made == most
    with pytest.raises(NotGzip) as refused:
        decompress(b"{}", bound=20_000)
    assert refused.value.made < 4096


@pytest.mark.parametrize(("length", "waits"), [(SHORT_BYTES, False), (SHORT_BYTES + 1, True)])
async def test_long_bodies_are_decompressed_one_at_a_time(length: int, waits: bool) -> None:  # noqa: FBT001  # a parameter
    turn = asyncio.Lock()
    async with turn:
        task = asyncio.create_task(decompress_in_turn(gzip.compress(bytes(length)), turn, bound=1 << 20))
        await asyncio.sleep(0)
        assert task.done() is not waits
    assert await task == bytes(length)


async def test_body_over_its_bound_is_rejected_on_both_paths() -> None:
    for body, bound in ((bytes(1001), 1000), (bytes(SHORT_BYTES * 3), SHORT_BYTES * 2)):
        with pytest.raises(TooLong):
            await decompress_in_turn(gzip.compress(body), asyncio.Lock(), bound=bound)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (WHOLE, 200, None),
        (gzip.compress(json.dumps({"a": "x" * 5000}).encode(), mtime=0), 413, "PAYLOAD_TOO_LARGE"),
        (b"x" * (HTTP.body_limit_bytes + 1), 413, "PAYLOAD_TOO_LARGE"),
        (WHOLE[:-3], 400, "INVALID_JSON"),
        (b'{"a":"b"}', 400, "INVALID_JSON"),
    ],
)
async def test_route_accepts_gzip(serve: Serve, body: bytes, status: int, code: str | None) -> None:
    client = await serve(Route("POST", "/echo", echo, None))
    response = await client.post("/echo", data=body, headers=HEADERS)
    body_of_response = await response.json()
    assert (response.status, body_of_response.get("error")) == (status, code)
    assert code is not None or body_of_response == {"a": "b"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_write_with_a_query_is_400(serve: Serve, method: str) -> None:
    client = await serve(Route(method, "/echo", echo, None))
    response = await client.request(method, "/echo?dry_run=1&x=2&x=3", json={})
    assert response.status == 400
    assert [each["pointer"] for each in (await response.json())["details"]] == ["/dry_run", "/x"]


async def test_probe_may_have_a_query(serve: Serve) -> None:
    client = await serve()
    assert (await client.post("/health?t=1")).status == 200


@pytest.mark.parametrize(("method", "status"), [("PATCH", 200), ("POST", 415)])
async def test_patch_merges_by_its_registered_name_too(serve: Serve, method: str, status: int) -> None:
    client = await serve(Route(method, "/echo", echo, None))
    headers = {"Content-Type": "application/merge-patch+json"}
    assert (await client.request(method, "/echo", data=b"{}", headers=headers)).status == status
