"""Budgets over HTTP: charged callers, response headers, client addresses."""

import gzip

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from domain.access.permissions import Permission, Principal, Role
from httpkit.budgets import Budget
from httpkit.middleware.auth import TokenIssuer, TokenVerifier
from httpkit.middleware.http_metrics import new_registry
from httpkit.middleware.rate_limits import LIMITER
from httpkit.request.addresses import client_address
from httpkit.request.bodies import HTTP_SETTINGS, read_body
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from httpkit.response.json_responses import json_response
from httpkit.routes import Route
from httpkit.server.app_server import build_app
from httpkit.server.health import Health
from httpkit.settings import HttpSettings, LimitSettings
from storage.redis.rate_limiter import LocalRateLimiter
from tests.unit.httpkit.conftest import AUTH, HTTP

UNIT = 4096
LIMITS = LimitSettings(ingest_per_s=3, reads_per_s=2, address_per_s=2, public_per_min=25)
ANA, LUIS = (Principal(name, Role.ADMIN) for name in ("ana", "luis"))


async def hello(_request: web.Request) -> web.Response:
    return json_response({})


async def find(request: web.Request) -> web.StreamResponse:
    if request.match_info["name"] == "nothing":
        raise ApiError(ErrorCode.SHIPMENT_NOT_FOUND, "not found")
    if request.match_info["name"] == "no-page":
        return web.Response(status=404, text="not found")
    if request.match_info["name"] == "stream":
        stream = web.StreamResponse()
        await stream.prepare(request)
        return stream
    return json_response({})


async def swallow(request: web.Request) -> web.Response:
    return json_response({"length": len(await read_body(request))})


def app() -> web.Application:
    routes = (
        Route("GET", "/read", hello, Permission.USER_READ),
        Route("POST", "/write", hello, Permission.EVENT_REPORT),
        Route("POST", "/swallow", swallow, Permission.EVENT_REPORT),
        Route("GET", "/open", hello, None),
        Route("GET", "/public/{name}", find, None, budget=Budget.PUBLIC, is_json=False),
    )
    built = build_app(
        HTTP.model_copy(update={"body_limit_bytes": 100 * UNIT}),
        routes,
        health=Health({}),
        registry=new_registry("test"),
        verifier=TokenVerifier(AUTH),
        limits=LIMITS,
    )
    built[LIMITER] = LocalRateLimiter(clock=lambda: 100.0)
    return built


async def statuses(method: str, path: str, who: Principal | None, times: int) -> list[int]:
    headers = {} if who is None else {"Authorization": f"Bearer {TokenIssuer(AUTH).issue(who)}"}
    async with TestClient(TestServer(app())) as client:
        return [(await client.request(method, path, headers=headers)).status for _ in range(times)]


@pytest.mark.parametrize(
    ("method", "path", "who", "expected"),
    [
        ("GET", "/read", ANA, [200, 200, 429]),
        ("POST", "/write", ANA, [200, 200, 200, 429]),
        ("GET", "/open", None, [200, 200, 429]),
        ("GET", "/nowhere", None, [404, 404, 429]),
        ("GET", "/read", None, [401, 401, 429]),
        ("GET", "/health", None, [200] * 5),
    ],
)
async def test_each_request_is_charged_to_its_budget(
    method: str, path: str, who: Principal | None, expected: list[int]
) -> None:
    assert await statuses(method, path, who, len(expected)) == expected


async def test_budgets_are_per_user_and_a_rejection_has_retry_after() -> None:
    async with TestClient(TestServer(app())) as client:
        ana, luis = ({"Authorization": f"Bearer {TokenIssuer(AUTH).issue(who)}"} for who in (ANA, LUIS))
        first = await client.get("/read", headers=ana)
        assert first.headers["RateLimit-Policy"] == '"reads";q=2;w=1'
        assert first.headers["RateLimit"] == '"reads";r=1;t=1'
        await client.get("/read", headers=ana)
        refused = await client.get("/read", headers=ana)
        assert (refused.status, (await refused.json())["error"]) == (429, "RATE_LIMITED")
        assert (refused.headers["Retry-After"], refused.headers["RateLimit"]) == ("1", '"reads";r=0;t=1')
        assert (await client.get("/read", headers=luis)).status == 200


@pytest.mark.parametrize(
    ("length", "expected"),
    [(UNIT, [200] * 3 + [429]), (UNIT + 1, [200, 429]), (2 * UNIT + 1, [200, 429]), (99 * UNIT, [200, 429])],
)
async def test_a_long_body_counts_as_several_requests(length: int, expected: list[int]) -> None:
    headers = {"Authorization": f"Bearer {TokenIssuer(AUTH).issue(ANA)}"}
    async with TestClient(TestServer(app())) as client:
        sent = [(await client.post("/swallow", headers=headers, data=b"x" * length)).status for _ in expected]
    assert sent == expected


BOMB = gzip.compress(bytes(1000 * UNIT))
LONG = gzip.compress(bytes(99 * UNIT))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (BOMB, [413, 429]),
        (LONG, [200, 429]),
        (LONG[:-1], [400, 429]),
        (LONG[:-8] + bytes(8), [400, 429]),
        (b"{}", [400] * 3 + [429]),
    ],
)
async def test_rejected_decompression_is_charged_too(body: bytes, expected: list[int]) -> None:
    headers = {"Authorization": f"Bearer {TokenIssuer(AUTH).issue(ANA)}", "Content-Encoding": "gzip"}
    server = TestServer(app())
    await server.start_server(auto_decompress=False)
    async with TestClient(server) as client:
        sent = [(await client.post("/swallow", headers=headers, data=body)).status for _ in expected]
    assert sent == expected


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "198.51.100.7", "unknown"),
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "6.6.6.6, 198.51.100.7", "198.51.100.7"),
        (2, "6.6.6.6, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
        (2, "198.51.100.7", "unknown"),
        (1, "rubbish", "unknown"),
        (1, "2001:db8:1:2:3::4", "2001:db8:1:2::"),
        (1, "::ffff:198.51.100.7", "198.51.100.7"),
    ],
)
def test_only_trusted_proxies_decide_the_address(proxies: int, forwarded: str, expected: str) -> None:
    app = web.Application()
    app[HTTP_SETTINGS] = HttpSettings(trusted_proxies=proxies)
    request = make_mocked_request("GET", "/", headers={"X-Forwarded-For": forwarded}, app=app)
    assert client_address(request) == expected


async def test_a_public_request_costs_one_and_one_that_finds_nothing_ten() -> None:
    assert await statuses("GET", "/public/parcel", None, 18) == [200] * 16 + [429] * 2
    assert await statuses("GET", "/public/nothing", None, 3) == [404, 404, 429]
    assert await statuses("GET", "/public/no-page", None, 3) == [404, 404, 429]


async def test_a_stream_costs_one_from_its_first_byte() -> None:
    async with TestClient(TestServer(app())) as client:
        stream = await client.get("/public/stream")
        assert stream.headers["RateLimit"] == '"public";r=24;t=3'
        assert stream.headers["RateLimit-Policy"] == '"public";q=25;w=60'
        assert (await client.get("/public/nothing")).headers["RateLimit"] == '"public";r=14;t=27'


async def test_an_address_that_may_not_miss_any_more_learns_nothing_of_what_there_is() -> None:
    async with TestClient(TestServer(app())) as client:
        for _ in range(2):
            await client.get("/public/nothing")
        refused = [await client.get(f"/public/{name}") for name in ("parcel", "nothing", "parcel")]
        assert [response.status for response in refused] == [429] * 3
