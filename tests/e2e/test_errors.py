"""Invalid requests: one body for every error, whatever component produces it."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from uuid import uuid4

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from tests.e2e.checks import assert_error
from tests.e2e.traffic import event_body, shipment_body
from tests.support.api import Api, Response
from tests.support.builders import NUMBER
from tests.support.stack import StackAddresses

pytestmark = pytest.mark.stack

JSON = {"Content-Type": "application/json"}
TAKING_A_BODY = ("/events", "/events/batch", "/shipments", "/auth/login")
MIB = 1 << 20


@pytest.mark.parametrize("path", ["/nothing", "/shipments/", "/auth", "/events/a/b", "/metrics/x"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_an_unknown_path_is_404_in_the_one_form(admin: Api, method: str, path: str) -> None:
    assert_error(await admin.ask(method, path), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/shipments", {"GET", "HEAD", "POST"}),
        ("DELETE", "/shipments", {"GET", "HEAD", "POST"}),
        ("PUT", f"/shipments/{NUMBER}", {"GET", "HEAD"}),
        ("GET", "/events", {"POST"}),
        ("DELETE", "/events", {"POST"}),
        ("PUT", "/events/batch", {"POST"}),
        ("GET", "/auth/login", {"POST"}),
        ("DELETE", "/auth/users", {"GET", "HEAD"}),
        ("DELETE", "/health", {"GET", "HEAD", "POST"}),
    ],
)
async def test_an_unknown_method_is_405_with_the_allowed_ones(
    admin: Api, method: str, path: str, allowed: set[str]
) -> None:
    response = await admin.ask(method, path)

    assert_error(response, 405, "METHOD_NOT_ALLOWED")
    assert set(response.headers["Allow"].replace(" ", "").split(",")) >= allowed


@pytest.mark.parametrize("path", TAKING_A_BODY)
@pytest.mark.parametrize(
    "broken", [b"", b"{", b'{"a":1}}', b"\xff\xfe", b'{"a":"\xed\xa0\x80"}', b"[" * 10_000]
)
async def test_a_body_that_is_no_json_is_400(admin: Api, path: str, broken: bytes) -> None:
    if path == "/auth/login":
        broken = broken[:1000]
    assert_error(await admin.ask("POST", path, data=broken, headers=JSON), 400, "INVALID_JSON")


@pytest.mark.parametrize("path", TAKING_A_BODY)
@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json", "Content-Encoding": "br"},
    ],
)
async def test_a_body_of_another_type_is_415(admin: Api, path: str, headers: dict[str, str]) -> None:
    response = await admin.ask("POST", path, data=b"{}", headers=headers)

    assert_error(response, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("size", [2 * MIB + 1, 4 * MIB + 1])
async def test_a_body_that_is_too_large_is_413_however_much_of_it_is_sent(
    stack: StackAddresses, tokens: Mapping[str, str], size: int
) -> None:
    response = await _upload(stack.gateway_url, tokens["driver_user_001"], size)

    assert_error(response, 413, "PAYLOAD_TOO_LARGE")
    assert response.headers["X-Request-Id"] == "upload-1"


async def test_a_login_body_has_a_bound_of_its_own(nobody: Api) -> None:
    response = await nobody.post("/auth/login", {"username": "x", "password": "x" * 9000})

    assert_error(response, 413, "PAYLOAD_TOO_LARGE")
    assert response.headers["Cache-Control"] == "no-store"


async def test_no_log_holds_tokens_or_users_that_the_gateway_rejects(nobody: Api) -> None:
    response = await nobody.get(f"/auth/users?offset={'1' * 9000}")

    assert_error(response, 414, "URI_TOO_LONG")
    assert response.headers.getall("Cache-Control") == ["no-store"]
    assert "Cache-Control" not in (await nobody.get(f"/shipments?offset={'1' * 9000}")).headers


@pytest.mark.parametrize("value", [None, 1, [], "text", {"events": {}}, {"events": None}, {"events": []}])
async def test_json_of_another_shape_is_rejected(driver: Api, value: object) -> None:
    response = await driver.ask("POST", "/events/batch", data=json.dumps(value).encode(), headers=JSON)

    assert (response.status, response.body["error"]) == (400, "VALIDATION_ERROR")


async def test_one_bad_event_is_named_and_nothing_of_its_batch_is_queued(admin: Api, driver: Api) -> None:
    number = await admin.created(shipment_body())
    good, bad = event_body(number, "picked_up"), event_body(number, "lost")
    bad["location"] = {"lat": 1}
    batch = {"events": [good, bad, event_body("99M-000000000001", "picked_up")]}

    pointers = ["/events/1/status", "/events/1/location/lng", "/events/2/tracking_number"]
    assert_error(await driver.post("/events/batch", batch), 400, "VALIDATION_ERROR", *pointers)
    # what is sent after it stands after it in the log: if the batch were there, it would be seen first
    [event_id] = await driver.batch_reported([good | {"source": "the next one"}])
    assert (await driver.outcome(event_id))["outcome"] == "applied"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tracking_number", "99M-000000000001"),
        ("tracking_number", 7),
        ("status", "lost"),
        ("status", None),
        ("timestamp", "yesterday"),
        ("timestamp", "2026-01-01T00:00:00"),
        ("timestamp", "1969-12-31T23:59:59Z"),
        ("timestamp", "2999-01-01T00:00:00Z"),
        ("timestamp", 1_767_225_600),
        ("source", ""),
        ("source", "api"),
        ("source", "a\0b"),
        ("source", "x" * 129),
        ("notes", ""),
        ("notes", "x" * 1001),
        ("unknown", 1),
    ],
)
async def test_each_fault_of_an_event_is_named(driver: Api, field: str, value: object) -> None:
    event = event_body(NUMBER, "picked_up") | {field: value}

    assert_error(await driver.post("/events", event), 400, "VALIDATION_ERROR", f"/{field}")


async def test_a_batch_holds_a_thousand_events_and_no_more(driver: Api) -> None:
    events = [event_body(NUMBER, "picked_up", source=f"{uuid4()}") for _ in range(1001)]

    response = await driver.post("/events/batch", {"events": events[:1000]})
    assert response.status == 202
    assert (response.body["received"], response.body["queued"]) == (1000, 1000)
    assert [item["index"] for item in response.body["events"]] == list(range(1000))
    assert_error(await driver.post("/events/batch", {"events": events}), 400, "VALIDATION_ERROR", "/events")


async def test_every_response_has_a_request_id_and_keeps_a_valid_one(nobody: Api, driver: Api) -> None:
    requests = [
        nobody.get("/health", headers={"X-Request-Id": "trace-1"}),
        nobody.get("/shipments", headers={"X-Request-Id": "trace-1"}),
        nobody.get("/metrics", headers={"X-Request-Id": "trace-1"}),
        nobody.get("/nothing", headers={"X-Request-Id": "trace-1"}),
        driver.post("/events", {}, headers={"X-Request-Id": "trace-1"}),
    ]
    assert {response.headers["X-Request-Id"] for response in await asyncio.gather(*requests)} == {"trace-1"}

    unnamed = [await nobody.get("/health") for _ in range(3)]
    unfit = [
        await nobody.get("/health", headers={"X-Request-Id": text}) for text in ("a b", "x" * 129, "<a>")
    ]
    given = [response.headers["X-Request-Id"] for response in unnamed + unfit]
    assert len(set(given)) == 6
    assert not {"a b", "x" * 129, "<a>"} & set(given)


async def _upload(url: str, token: str, size: int) -> Response:
    """Send a large body and read the response meanwhile: aiohttp's client would send the whole body first."""
    reader, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
    head = {
        "Host": "waybill",
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Content-Length": str(size),
        "X-Request-Id": "upload-1",
    }
    lines = ["POST /events/batch HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    writer.write("\r\n".join(lines).encode() + b" " * size)
    try:
        first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        headers = CIMultiDict[str]()
        for line in filter(None, rest):
            name, _, value = line.partition(": ")
            headers.add(name, value)
        body = await reader.readexactly(int(headers["Content-Length"]))
        return Response(int(first.split()[1]), CIMultiDictProxy(headers), body)
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()
