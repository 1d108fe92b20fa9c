"""The gateway's configuration under a real HAProxy, with small stand-ins for the services behind it."""

import asyncio
import io
import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest

from devstack.home.ports import choose_ports, is_free
from devstack.home.programs import wheel_program
from devstack.parts import gateway
from tests.integration.devstack.door import ETAG, TWO_MIB, Door, Names, Service, ask, open_door

pytestmark = pytest.mark.stack


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("trusted", "forwarded"),
    [("", "127.0.0.1"), ("10.0.0.0/8", "127.0.0.1"), ("10.0.0.0/8 127.0.0.0/8", "203.0.113.7, 127.0.0.1")],
)
async def test_only_a_trusted_proxy_may_name_the_client(tmp_path: Path, trusted: str, forwarded: str) -> None:
    async with open_door(tmp_path, settings={"WAYBILL_TRUSTED_PROXIES": trusted}) as door:
        response = await door.session.get("/shipments", headers={"X-Forwarded-For": "203.0.113.7"})
        assert (await response.json())["for"] == forwarded


async def test_the_portal_says_for_whom_it_asks(door: Door) -> None:
    told = {
        "X-Forwarded-For": "203.0.113.7, 198.51.100.1",
        "X-Forwarded-Host": "waybill.example",
        "X-Forwarded-Proto": "https",
    }
    async with door.session.get(f"{door.inner}/shipments", headers=told) as response:
        seen = await response.json()
    assert (seen["for"], seen["site"]) == ("203.0.113.7, 198.51.100.1", "https://waybill.example")
    assert seen["who"] == door.query[0].name


async def test_the_portal_reaches_the_same_api_and_not_itself(door: Door) -> None:
    async with door.session.post(f"{door.inner}/events") as response:
        assert (await response.json())["who"] == door.ingest[0].name
    async with door.session.get(f"{door.inner}/metrics") as response:
        await check_error(response, 404, "NOT_FOUND")
    async with door.session.get(f"{door.inner}/console") as response:
        assert (await response.json())["who"] == door.query[0].name


async def check_error(response: aiohttp.ClientResponse, status: int, code: str) -> None:
    text = await response.text()
    body = json.loads(text)
    assert text.endswith("}\n")
    assert response.status == status
    assert response.content_type == "application/json"
    assert set(body) == {"error", "message", "status_code", "timestamp"}
    assert (body["error"], body["status_code"]) == (code, status)
    assert body["timestamp"].endswith("Z")
    assert datetime.fromisoformat(body["timestamp"]).tzinfo is not None
    assert response.headers["X-Request-Id"]
    assert "Server" not in response.headers


async def test_each_method_and_path_reaches_the_service_that_owns_it(door: Door) -> None:
    ingest = [
        ("POST", "/events"),
        ("OPTIONS", "/events"),
        ("POST", "/events/batch"),
        ("POST", "/shipments"),
        ("PATCH", "/shipments/99M-1"),
        ("DELETE", "/shipments/99M-1"),
        ("POST", "/dead-letters/replay"),
        ("POST", "/dead-letters/7/replay"),
    ]
    query = [
        ("GET", "/shipments"),
        ("PUT", "/shipments"),
        ("OPTIONS", "/shipments"),
        ("DELETE", "/shipments/99M-1/events"),
        ("DELETE", "/shipments"),
        ("GET", "/shipments/99M-1"),
        ("HEAD", "/shipments/99M-1"),
        ("OPTIONS", "/shipments/99M-1"),
        ("GET", "/shipments/99M-1/events"),
        ("GET", "/events"),
        ("GET", "/events/evt_1"),
        ("POST", "/auth/login"),
        ("GET", "/dead-letters"),
        ("POST", "/dead-letters/7/discard"),
        ("POST", "/health"),
        ("GET", "/metrics-of-ours"),
    ]
    for method, path in ingest + query:
        async with door.session.request(method, path) as response:
            assert response.status == 200, (method, path)

    assert door.ingest[0].seen == [f"{method} {path}" for method, path in ingest]
    assert door.query[0].seen == [f"{method} {path}" for method, path in query]


async def test_the_page_is_found_with_a_slash_behind_it_too(door: Door) -> None:
    response = await door.session.get("/docs/", allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (308, "/docs")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    async with door.session.get("/docs/start.js") as response:
        assert (await response.json())["who"] == door.query[0].name


async def test_metrics_are_hidden_from_the_outside(door: Door) -> None:
    plain = ["/metrics", "/METRICS", "/%6detrics", "/metrics/", "/metrics%2f"]
    for path in [*plain, "//metrics", "/%2fmetrics", "/./metrics", "/x/../metrics", "/x/..//metrics"]:
        response = await ask(door, f"GET {path} HTTP/1.1\r\nHost: x")
        assert response.startswith("HTTP/1.1 404"), path
        assert '"error":"NOT_FOUND"' in response
    assert door.query[0].seen == []


async def test_a_user_may_be_named_metrics(door: Door) -> None:
    async with door.session.get("/auth/users/metrics") as response:
        assert (await response.json())["who"] == door.query[0].name


async def test_a_path_that_cannot_be_decoded_is_routed_as_it_stands(door: Door) -> None:
    for path in ("/track/%zz", "/console/%"):
        assert f'"who": "{door.services["portal"][0].name}"' in await ask(
            door, f"GET {path} HTTP/1.1\r\nHost: x"
        )
    assert "cache-control: no-store" in await ask(door, "GET /auth/%zz HTTP/1.1\r\nHost: x")


async def test_only_http_1_0_may_leave_out_the_host(door: Door) -> None:
    refused = await ask(door, "GET /shipments HTTP/1.1")
    assert refused.startswith("HTTP/1.1 400")
    assert '"error":"VALIDATION_ERROR"' in refused
    assert door.query[0].seen == []
    assert " 200 OK" in await ask(door, "GET /shipments HTTP/1.0")


async def test_the_error_body_is_the_one_of_the_api(door: Door) -> None:
    async with door.session.get("/metrics") as response:
        await check_error(response, 404, "NOT_FOUND")


async def test_a_sane_request_id_is_kept_and_another_replaced(door: Door) -> None:
    async with door.session.get("/shipments", headers={"X-Request-Id": "scan-7"}) as response:
        assert response.headers.getall("X-Request-Id") == ["scan-7"]
        assert (await response.json())["id"] == "scan-7"
    for unfit in ("", "two words", "x" * 129, '{"a":1}'):
        async with door.session.get("/shipments", headers={"X-Request-Id": unfit}) as response:
            given = response.headers["X-Request-Id"]
            assert len(given) == 36
            assert (await response.json())["id"] == given


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br, zstd"])
async def test_an_etag_survives_compression(accepted: str, door: Door) -> None:
    headers = {"Accept-Encoding": accepted}
    async with door.session.get("/shipments/1", headers=headers) as response:
        etag = response.headers["ETag"]
        assert response.headers["Content-Encoding"] in accepted
        assert sorted(response.headers.getall("Vary")) == ["Accept-Encoding", "Origin"]
    async with door.session.get("/shipments/1", headers={**headers, "If-None-Match": etag}) as response:
        assert response.status == 304
        assert await response.read() == b""


async def test_tags_arrive_without_the_mark_of_the_gateway_and_else_as_they_were(door: Door) -> None:
    head = "PATCH /shipments/1 HTTP/1.1\r\nHost: x\r\nIf-Match: {}\r\nIf-Match: {}"
    response = await ask(door, head.format('W/"v7-gzip", "a-gzip-b"', '"v8-gzip", W/"v9"'))
    assert '"match": "\\"v7\\", \\"a-gzip-b\\", \\"v8\\", W/\\"v9\\""' in response


@pytest.mark.parametrize("accepted", ["*", "GZIP", "br"])
async def test_a_tag_is_marked_only_if_its_answer_may_be_compressed(accepted: str, door: Door) -> None:
    async with door.session.get("/shipments/1", headers={"Accept-Encoding": accepted}) as response:
        assert response.headers["ETag"] == ETAG
        assert "Content-Encoding" not in response.headers


async def test_an_etag_survives_without_compression(door: Door) -> None:
    headers = {"Accept-Encoding": "identity"}
    async with door.session.get("/shipments/1", headers=headers) as response:
        assert response.headers["ETag"] == ETAG
    async with door.session.get("/shipments/1", headers={**headers, "If-None-Match": ETAG}) as response:
        assert response.status == 304


async def test_a_large_body_passes_up_to_the_limit_of_the_services(door: Door) -> None:
    async with door.session.post("/events/batch", data=io.BytesIO(b"x" * TWO_MIB)) as response:
        assert (await response.json())["length"] == TWO_MIB


@pytest.mark.parametrize(
    ("target", "field", "status"),
    [("a" * 8_000, "b" * 20_000, 200), ("a" * 8_200, "b", 414), ("a", "b" * 33_000, 431)],
)
async def test_a_head_has_the_bounds_of_the_services(
    target: str, field: str, status: int, door: Door
) -> None:
    async with door.session.get(f"/{target}", headers={"X-Long": field}) as response:
        assert response.status == status
        if status == 414:
            await check_error(response, 414, "URI_TOO_LONG")


async def test_no_service_is_503_with_a_hint_when_to_retry(door: Door) -> None:
    await door.ingest[0].stop()

    async with door.session.post("/events") as response:
        await check_error(response, 503, "SERVICE_UNAVAILABLE")
        assert response.headers["Retry-After"] == "1"


async def test_requests_wait_out_a_short_restart(door: Door) -> None:
    # A GET: a POST that meets a connection as its server closes it may have arrived, and is not repeated.
    await door.query[0].stop()
    waiting = asyncio.create_task(door.session.get("/shipments"))
    await asyncio.sleep(0.3)  # not for a condition: this is the outage
    await door.query[0].start()

    async with await waiting as response:
        assert response.status == 200


async def test_a_post_that_may_have_arrived_is_never_sent_again(tmp_path: Path) -> None:
    async with open_door(tmp_path, ingest=3) as door:
        headers = {"Idempotency-Key": "k"}  # which some proxies take for a licence to repeat
        async with door.session.post("/shipments?die", data=b"{}", headers=headers) as response:
            await check_error(response, 503, "SERVICE_UNAVAILABLE")
        async with door.session.delete("/shipments/1?die") as response:
            await check_error(response, 503, "SERVICE_UNAVAILABLE")

        assert sum(len(service.seen) for service in door.ingest) == 2


async def test_a_dead_replica_costs_nothing_but_its_share(tmp_path: Path) -> None:
    async with open_door(tmp_path, query=2) as door:
        await door.query[0].stop()
        for _ in range(20):
            async with door.session.get("/shipments") as response:
                assert response.status == 200

        assert len(door.query[1].seen) == 20


async def test_replicas_share_the_load(tmp_path: Path) -> None:
    async with open_door(tmp_path, query=2) as door:
        for _ in range(20):
            async with door.session.get("/shipments") as response:
                assert response.status == 200

        assert [len(service.seen) for service in door.query] == [10, 10]


async def test_a_name_may_stand_for_several_replicas(tmp_path: Path) -> None:
    ports = choose_ports(["dns", "service"], remembered={}, is_free=is_free, seed=os.getpid())
    replicas = [Service(host, ports["service"], host) for host in ("127.0.0.1", "127.0.0.2")]
    dns, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Names(*(each.host for each in replicas)), local_addr=("127.0.0.1", ports["dns"])
    )
    settings = {
        "WAYBILL_RESOLVER": f"127.0.0.1:{ports['dns']}",
        "QUERY_UPSTREAMS": f"localhost:{ports['service']}",
    }
    try:
        await asyncio.gather(*(each.start() for each in replicas))
        async with open_door(tmp_path, settings=settings) as door, asyncio.timeout(10):
            while not all(each.seen for each in replicas):
                async with door.session.get("/shipments") as response:
                    assert response.status == 200
                await asyncio.sleep(0.05)
    finally:
        dns.close()
        await asyncio.gather(*(each.stop() for each in replicas))


async def test_a_client_that_breaks_off_does_not_count_against_the_service(door: Door) -> None:
    url = door.session._base_url  # noqa: SLF001 - no client library breaks off in the middle
    assert url is not None
    for _ in range(3):
        _, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.transport.abort()

    async with asyncio.timeout(1), door.session.post("/events") as response:
        assert response.status == 200


@pytest.mark.parametrize(("trusted", "served"), [("", 3), ("127.0.0.1", 5)])
async def test_one_address_has_a_bounded_number_of_connections(
    tmp_path: Path, trusted: str, served: int
) -> None:
    settings = {"WAYBILL_CONNECTIONS_PER_ADDRESS": "3", "WAYBILL_TRUSTED_PROXIES": trusted}
    async with open_door(tmp_path, settings=settings) as door:
        url = door.session._base_url  # noqa: SLF001 - connections of their own are needed
        assert url is not None
        received = []
        async with AsyncExitStack() as kept:
            for _ in range(5):
                with suppress(ConnectionError):
                    reader, writer = await asyncio.open_connection(url.host, url.port)
                    kept.callback(writer.close)
                    writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
                    received.append(await reader.read(12))
        assert received.count(b"HTTP/1.1 404") == served


@pytest.mark.parametrize("nothing", ["", "off"])
async def test_an_empty_setting_is_none(nothing: str, tmp_path: Path) -> None:
    async with (
        open_door(tmp_path, settings={"WAYBILL_RESOLVER": "", "WAYBILL_ADMIN": nothing}) as door,
        door.session.get("/shipments") as response,
    ):
        assert response.status == 200


def test_each_start_has_its_files_in_a_directory_of_its_own(tmp_path: Path) -> None:
    program = wheel_program(gateway.DISTRIBUTION, "haproxy")
    environment = {"PATH": os.environ["PATH"], "HAPROXY": str(program), "TMPDIR": str(tmp_path)}
    upstreams = dict.fromkeys(gateway.UPSTREAMS.values(), "127.0.0.1:1")
    for _ in range(2):
        subprocess.run(["sh", gateway.find_start(), "-c"], env=environment | upstreams, check=True)
    assert len(list(tmp_path.glob("*/backends.cfg"))) == 2


async def test_the_gateway_serves_metrics_of_its_own_where_it_is_told_to(tmp_path: Path) -> None:
    port = choose_ports(["admin"], remembered={}, is_free=is_free, seed=os.getpid())["admin"]
    async with (
        open_door(tmp_path, settings={"WAYBILL_ADMIN": f"127.0.0.1:{port}"}) as door,
        door.session.get(f"http://127.0.0.1:{port}/metrics") as response,
    ):
        assert 'haproxy_server_status{proxy="query-api",server="query-api-1",state="UP"} 1' in (
            await response.text()
        )
