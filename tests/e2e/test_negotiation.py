"""Media types, sizes and methods, through the gateway."""

import asyncio
import json
from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest

from tests.e2e.checks import assert_error
from tests.e2e.traffic import event_body
from tests.support.api import Api
from tests.support.builders import NUMBER
from tests.support.raw_http import RawConnection
from tests.support.stack import StackAddresses

pytestmark = pytest.mark.stack

JSON = {"Content-Type": "application/json"}
LIMIT = 2 * 1024 * 1024
NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")


@pytest.mark.parametrize("path", ["/shipments", f"/shipments/{NUMBER}", "/auth/users"])
async def test_a_client_that_accepts_no_json_gets_406(admin: Api, path: str) -> None:
    assert_error(await admin.get(path, headers={"Accept": "text/html"}), 406, "NOT_ACCEPTABLE")
    assert_error(await admin.get(path, headers={"Accept": "*/*;q=0"}), 406, "NOT_ACCEPTABLE")


async def test_health_is_never_406(nobody: Api) -> None:
    assert (await nobody.get("/health", headers={"Accept": "text/html"})).status == 200


@pytest.mark.parametrize(
    ("path", "allowed", "hints"),
    [
        ("/events", {"POST"}, {"Accept-Post": "application/json", "Waybill-Max-Bytes": str(LIMIT)}),
        (
            "/events/batch",
            {"POST"},
            {
                "Accept-Post": ", ".join(("application/json", *NDJSON_TYPES)),
                "Waybill-Max-Events": "1000",
            },
        ),
        ("/shipments", {"GET", "HEAD", "POST"}, {"Accept-Post": "application/json"}),
        (
            f"/shipments/{NUMBER}",
            {"GET", "HEAD", "PATCH", "DELETE"},
            {"Accept-Patch": "application/json, application/merge-patch+json"},
        ),
        ("/health", {"GET", "HEAD", "POST"}, {}),
    ],
)
async def test_options_lists_the_methods_of_a_path(
    nobody: Api, path: str, allowed: set[str], hints: dict[str, str]
) -> None:
    response = await nobody.ask("OPTIONS", path)
    assert (response.status, response.raw) == (204, b"")
    assert set(response.headers["Allow"].split(",")) == allowed | {"OPTIONS"}
    assert {name: response.headers[name] for name in hints} == hints


@pytest.mark.parametrize(("size", "status"), [(LIMIT, 400), (LIMIT + 1, 413)])
async def test_the_limit_is_met_to_the_byte(
    stack: StackAddresses, tokens: Mapping[str, str], size: int, status: int
) -> None:
    address = urlsplit(stack.gateway_url)
    assert address.hostname is not None
    assert address.port is not None
    connection = RawConnection(address.hostname, address.port)
    head = (
        f"POST /events/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {tokens['driver_user_001']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    )
    response = await connection.exchange(head.encode() + b'{"events": []}'.ljust(size))
    await connection.close()
    assert response is not None
    assert (response.status, json.loads(response.body)["status_code"]) == (status, status)


async def test_a_repeated_json_name_is_rejected_with_its_position(driver: Api) -> None:
    response = await driver.ask("POST", "/events", data=b'{"source":"a","source":"b"}', headers=JSON)
    assert "line 1 column 27" in assert_error(response, 400, "INVALID_JSON")["message"]


async def test_leniently_the_good_events_are_applied_and_the_bad_ones_listed(admin: Api, driver: Api) -> None:
    good, bad = event_body(NUMBER, "picked_up"), event_body(NUMBER, "lost")
    response = await driver.post(
        "/events/batch", {"events": [bad, good]}, headers={"Prefer": "handling=lenient"}
    )
    assert (response.status, response.headers["Preference-Applied"]) == (202, "handling=lenient")
    rejected, queued = response.body["events"]
    assert (rejected["status"], rejected["details"][0]["pointer"]) == ("rejected", "/events/0/status")
    assert (await admin.outcome(queued["event_id"]))["reason"] == "SHIPMENT_NOT_FOUND"


async def raw(stack: StackAddresses, head: str, body: bytes, *, waits: bool = False) -> bytes:
    """Send a request, its body only after `100 Continue` if it `waits`; return all received bytes."""
    address = urlsplit(stack.gateway_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(head.encode() + (b"" if waits else body))
    seen = b""
    async with asyncio.timeout(10):
        while not seen.rstrip().endswith(b"}") and (chunk := await reader.read(65_536)):
            if waits and seen == b"":
                writer.write(body if b"100 Continue" in chunk else b"")
            seen += chunk
    writer.close()
    return seen


def posting(path: str, token: str, framing: str, *, version: str = "1.1") -> str:
    return (
        f"POST {path} HTTP/{version}\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\n{framing}\r\n\r\n"
    )


EXPECTING = "Expect: 100-continue\r\nContent-Length: 2"


async def test_continue_is_sent_once_and_not_before_a_rejection(
    stack: StackAddresses, tokens: Mapping[str, str]
) -> None:
    for path in ("/events", "/auth/login"):
        wanted = await raw(stack, posting(path, tokens["driver_user_001"], EXPECTING), b"{}", waits=True)
        assert wanted.count(b"100 Continue") == 1
        assert b" 400 " in wanted
    refused = await raw(stack, posting("/events", "nobody", EXPECTING), b"{}", waits=True)
    assert refused.startswith(b"HTTP/1.1 401 ")
    old = await raw(stack, posting("/events", tokens["driver_user_001"], EXPECTING, version="1.0"), b"{}")
    assert old.startswith(b"HTTP/1.0 400 ")


@pytest.mark.parametrize(
    "chunks", [b"zz\r\n{}\r\n0\r\n\r\n", b"2\r\n{}XX0\r\n\r\n", b"-2\r\n{}", b"\r\n{}\r\n"]
)
async def test_malformed_chunks_are_400(
    stack: StackAddresses, tokens: Mapping[str, str], chunks: bytes
) -> None:
    framing = "Transfer-Encoding: chunked\r\nExpect: 100-continue"
    response = await raw(stack, posting("/events", tokens["driver_user_001"], framing), chunks, waits=True)
    assert response.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 ")
    assert b'"error":"INVALID_JSON"' in response


async def test_malformed_chunks_that_come_with_their_head_are_400(
    stack: StackAddresses, tokens: Mapping[str, str]
) -> None:
    """The gateway's parser refuses them itself, before there is a request to respond to."""
    head = posting("/events", tokens["driver_user_001"], "Transfer-Encoding: chunked")
    assert (await raw(stack, head, b"zz\r\n{}\r\n")).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("path", ["/health", "/shipments", "/nothing"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_every_response_varies_with_its_coding(nobody: Api, path: str, coding: str) -> None:
    response = await nobody.get(path, headers={"Accept-Encoding": coding})
    assert "Accept-Encoding" in response.headers.getall("Vary")
