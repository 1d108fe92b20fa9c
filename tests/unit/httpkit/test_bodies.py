"""Bodies and queries: bounded, with every fault reported."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any
from unittest import mock

import pytest
from aiohttp import StreamReader, web
from aiohttp.test_utils import make_mocked_request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from httpkit.request.bodies import (
    MAX_DETAILS,
    MAX_LISTED_FAULTS,
    bound_bodies,
    parse_json,
    pointer_to,
    read_body,
    read_json,
    read_query,
    validation_error,
)
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError, Detail
from httpkit.response.json_responses import json_response
from httpkit.routes import Route
from tests.unit.httpkit.conftest import HTTP, Client, Serve


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    weight: Annotated[float, Field(gt=0)]
    name: str = "x"


class Batch(BaseModel):
    items: list[Item]


BATCH = TypeAdapter(Batch)
ITEM = TypeAdapter(Item)
JSON = {"Content-Type": "application/json"}


async def take(request: web.Request) -> web.Response:
    batch = await read_json(request, BATCH, limit=1000)
    return json_response({"count": len(batch.items)})


async def find(request: web.Request) -> web.Response:
    return json_response(read_query(request, ITEM).model_dump())


@pytest.fixture
async def client(serve: Serve) -> Client:
    return await serve(Route("POST", "/batch", take, None), Route("GET", "/find", find, None))


async def send(client: Client, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    response = await client.post("/batch", data=body, headers=JSON if headers is None else headers)
    return response.status, await response.json()


async def test_a_good_body_is_read(client: Client) -> None:
    assert await send(client, b'{"items":[{"weight":1},{"weight":2}]}') == (200, {"count": 2})


async def test_charset_and_case_of_the_type_do_not_matter(client: Client) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert (await send(client, b'{"items":[]}', headers))[0] == 200


async def test_all_faults_are_named(client: Client) -> None:
    status, body = await send(client, b'{"items":[{"weight":0},{"weight":"x","a/b~c":1},{}]}')
    assert (status, body["error"]) == (400, "VALIDATION_ERROR")
    pointers = [detail["pointer"] for detail in body["details"]]
    assert pointers == ["/items/0/weight", "/items/1/weight", "/items/1/a~1b~0c", "/items/2/weight"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"items":[}',
        b"{'items':[]}",
        b'{"items":[]} x',
        b'{"items":["\xff"]}',
        b'{"items":["\\ud800"]}',
        b"[" * 900,
    ],
)
async def test_malformed_json_is_described(client: Client, body: bytes) -> None:
    status, response = await send(client, body)
    assert (status, response["error"]) == (400, "INVALID_JSON")
    assert "details" not in response


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_numbers_that_json_does_not_have_are_rejected(client: Client, value: str) -> None:
    status, _ = await send(client, b'{"items":[{"weight":%s}]}' % value.encode())
    assert status == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-ndjson"},
        {"Content-Type": ""},
        JSON | {"Content-Encoding": "br"},
    ],
)
async def test_another_media_type_is_415(client: Client, headers: dict[str, str]) -> None:
    status, body = await send(client, b'{"items":[]}', headers)
    assert (status, body["error"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("size", [1001, 3000, 5000])
async def test_a_body_over_the_limit_is_413(client: Client, size: int) -> None:
    status, body = await send(client, b" " * size)
    assert (status, body["error"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("size", [1001, 5000])
async def test_body_without_content_length_is_measured(client: Client, size: int) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(size // 100 + 1):
            yield b" " * 100

    response = await client.post("/batch", data=chunks(), headers=JSON)
    assert response.status == 413


async def test_body_of_exactly_the_limit_is_accepted(client: Client) -> None:
    assert (await send(client, b'{"items":[]}'.ljust(1000)))[0] == 200


async def raw(client: Client, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(sent)
    try:
        async with asyncio.timeout(5):
            return await reader.readuntil(b"}")
    finally:
        writer.close()
        await writer.wait_closed()


async def test_slow_body_is_408(client: Client) -> None:
    head = b"POST /batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    response = await raw(client, head + b'{"items"')
    assert response.startswith(b"HTTP/1.1 408 ")
    assert b"Connection: close" in response
    assert b'"REQUEST_TIMEOUT"' in response


@pytest.mark.parametrize("broken", [web.RequestPayloadError("bad chunk"), ConnectionResetError()])
async def test_truncated_body_is_400(broken: Exception) -> None:
    app = web.Application()
    bound_bodies(app, HTTP)
    body = StreamReader(mock.Mock(), 2**16, loop=asyncio.get_running_loop())
    body.set_exception(broken)
    request = make_mocked_request("POST", "/batch", app=app, payload=body)
    with pytest.raises(ApiError) as refused:
        await read_body(request)
    assert (refused.value.code, refused.value.status) == (ErrorCode.INVALID_JSON, 400)


def test_listed_faults_are_bounded() -> None:
    body = json.dumps({"items": [{}] * (MAX_DETAILS + 50)}).encode()
    with pytest.raises(ApiError, match="validation failed: 150 problems, 50 of them not listed") as refused:
        parse_json(body, BATCH)
    assert len(refused.value.details) == MAX_DETAILS


@pytest.mark.parametrize(("count", "problems"), [(1, "1 problem"), (3, "3 problems")])
def test_validation_error_counts_its_problems(count: int, problems: str) -> None:
    assert validation_error([Detail("/a", "wrong")] * count).message == f"validation failed: {problems}"


def test_far_too_many_faults_are_only_counted() -> None:
    body = json.dumps({"items": [{"weight": 0}] * (MAX_LISTED_FAULTS + 1)}).encode()
    with pytest.raises(ApiError, match="too many to name") as refused:
        parse_json(body, BATCH)
    assert (refused.value.code, refused.value.details) == (ErrorCode.VALIDATION_ERROR, ())


def test_long_name_is_shortened_in_the_response() -> None:
    with pytest.raises(ApiError) as refused:
        parse_json(json.dumps({"weight": 1, "k" * 100_000: 0}).encode(), ITEM)
    assert len(refused.value.details[0].pointer) < 1000


def test_pointer_to_the_whole_body_is_empty() -> None:
    assert pointer_to(()) == ""
    assert pointer_to(("events", 3, "timestamp")) == "/events/3/timestamp"


async def test_a_query_is_read(client: Client) -> None:
    assert await (await client.get("/find?weight=2.5&name=a%20b")).json() == {"weight": 2.5, "name": "a b"}


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("weight=0&colour=red", ["/weight", "/colour"]),
        ("", ["/weight"]),
        ("weight=1&weight=2&name=a", ["/weight"]),
    ],
)
async def test_faults_of_a_query_are_named(client: Client, query: str, pointers: list[str]) -> None:
    response = await client.get(f"/find?{query}")
    body = await response.json()
    assert (response.status, body["error"]) == (400, "VALIDATION_ERROR")
    assert [detail["pointer"] for detail in body["details"]] == pointers
