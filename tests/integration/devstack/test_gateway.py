"""The gateway's configuration under a real HAProxy, with small stand-ins for the services behind it."""

import asyncio
import io
import json
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from devstack.home.ports import choose_ports, is_free
from devstack.home.programs import wheel_program
from devstack.parts import gateway
from devstack.parts.gateway import gateway_part
from devstack.parts.services import replica_names
from devstack.supervision.child import Child
from devstack.supervision.launcher import Launcher

pytestmark = pytest.mark.stack

ETAG = '"v7"'
TWO_MIB = 2 << 20
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Service:
    """Stand-in that returns its name and the request; counts the requests that arrive."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.port = port
        self.seen: list[str] = []
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=TWO_MIB)
        app.router.add_route("*", "/{path:.*}", self._respond)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, max_field_size=1 << 16, max_line_size=1 << 16)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/health/live":
            return web.Response()
        self.seen.append(f"{request.method} {request.path}")
        if "die" in request.query and request.transport is not None:
            request.transport.abort()  # as a service killed in the middle of a request
        if request.headers.get("If-None-Match") == ETAG:
            return web.Response(status=304, headers={"ETag": ETAG})
        length = len(await request.read())
        response = {
            "who": self.name,
            "length": length,
            "id": request.headers.get("X-Request-Id"),
            "for": ", ".join(request.headers.getall("X-Forwarded-For", [])),
            "site": f"{request.headers.get('X-Forwarded-Proto')}://{request.headers.get('X-Forwarded-Host')}",
            "pad": "x" * 2000,
        }
        return web.json_response(response, headers={"ETag": ETAG, "Vary": "Origin"})


class Door:
    """A running gateway, the services behind it and a client in front; `inner` is the portal's way in."""

    def __init__(
        self, session: aiohttp.ClientSession, services: dict[str, list[Service]], *, inner: str
    ) -> None:
        self.session = session
        self.inner = inner
        self.services = services
        self.ingest = services["ingest-api"]
        self.query = services["query-api"]


@asynccontextmanager
async def open_door(
    directory: Path, *, ingest: int = 1, query: int = 1, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Door]:
    replicas = {"ingest-api": ingest, "query-api": query, "webhooks": 1, "portal": 1}
    named = {group: replica_names(group, count) for group, count in replicas.items()}
    names = ["gateway", gateway.INNER, *(name for group in named.values() for name in group)]
    seed = random.SystemRandom().getrandbits(32)
    ports = choose_ports(names, remembered={}, is_free=is_free, seed=seed)
    behind = {
        group: [Service(name, ports[name]) for name in group_names] for group, group_names in named.items()
    }
    services = [service for group in behind.values() for service in group]
    part = gateway_part(
        wheel_program(gateway.DISTRIBUTION, "haproxy"),
        data=directory,
        port=ports["gateway"],
        inner_port=ports[gateway.INNER],
        replicas={group: [service.port for service in services] for group, services in behind.items()},
    )
    part = replace(part, environment={**part.environment, **(settings or {})})
    with (directory / "lock").open("w") as lock:
        child = Child(part, Launcher(directory, {}, lock.fileno()))
        try:
            await asyncio.gather(*(service.start() for service in services))
            await child.start()
            url = f"http://127.0.0.1:{ports['gateway']}"
            async with aiohttp.ClientSession(
                url, auto_decompress=False, headers={"Accept-Encoding": "identity"}
            ) as session:
                yield Door(session, behind, inner=f"http://127.0.0.1:{ports[gateway.INNER]}")
        finally:
            child.kill()
            await child.wait()
            await asyncio.gather(*(service.stop() for service in services))


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


@pytest.mark.parametrize("path", ["/metrics", "/METRICS", "/%6detrics", "//metrics", "/x/../metrics"])
async def test_metrics_are_hidden_from_the_outside(path: str, door: Door) -> None:
    url = door.session._base_url  # noqa: SLF001 - the client would clean the path
    assert url is not None
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    response = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()

    assert response.startswith("HTTP/1.1 404")
    assert '"error":"NOT_FOUND"' in response
    assert door.query[0].seen == []


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


async def test_the_gateway_serves_metrics_of_its_own_where_it_is_told_to(tmp_path: Path) -> None:
    port = choose_ports(["admin"], remembered={}, is_free=is_free, seed=os.getpid())["admin"]
    async with (
        open_door(tmp_path, settings={"WAYBILL_ADMIN": f"127.0.0.1:{port}"}) as door,
        door.session.get(f"http://127.0.0.1:{port}/metrics") as response,
    ):
        assert 'haproxy_server_status{proxy="query-api",server="query-api-1",state="UP"} 1' in (
            await response.text()
        )
