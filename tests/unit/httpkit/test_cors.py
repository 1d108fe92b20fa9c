"""CORS: pages of configured origins may call the API, others may not."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import ValidationError

from domain.access.permissions import Permission
from httpkit.middleware.auth import TokenVerifier
from httpkit.middleware.http_metrics import new_registry
from httpkit.response.json_responses import json_response
from httpkit.routes import Route
from httpkit.server.app_server import build_app
from httpkit.server.health import Health
from httpkit.settings import HttpSettings, origins_of
from tests.unit.httpkit.conftest import AUTH, HTTP, Client, Serve

APP = "https://app.example.com"
OTHER = "https://evil.example"


async def hello(_request: web.Request) -> web.Response:
    return json_response({})


ROUTES = (
    Route("GET", "/thing", hello, None),
    Route("PATCH", "/thing", hello, None),
    Route("POST", "/private", hello, Permission.EVENT_REPORT),
)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    http = HTTP.model_copy(update={"cors_origins": (APP, "http://localhost:5173")})
    app = build_app(
        http, ROUTES, health=Health({}), registry=new_registry("test"), verifier=TokenVerifier(AUTH)
    )
    async with TestClient(TestServer(app)) as client:
        yield client


def cors_of(response: object) -> dict[str, str]:
    headers = getattr(response, "headers", {})
    return {name: value for name, value in headers.items() if name.lower().startswith("access-control-")}


async def test_allowed_origin_may_read_responses_and_errors(client: Client) -> None:
    for path, status in (("/thing", 200), ("/private", 401), ("/nothing", 404)):
        method = "POST" if path == "/private" else "GET"
        response = await client.request(method, path, headers={"Origin": APP})
        assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (status, APP)
        assert {"ETag", "Retry-After"} <= set(response.headers["Access-Control-Expose-Headers"].split(", "))
        assert "Access-Control-Allow-Credentials" not in response.headers


async def test_preflight_lists_allowed_methods_and_headers(client: Client) -> None:
    asked = {"Origin": APP, "Access-Control-Request-Method": "PATCH"}
    response = await client.options("/thing", headers=asked)
    assert response.status == 204
    assert response.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS, PATCH"
    assert {"Authorization", "If-Match", "Idempotency-Key"} <= set(
        response.headers["Access-Control-Allow-Headers"].split(", ")
    )
    assert response.headers["Access-Control-Max-Age"] == "600"


@pytest.mark.parametrize("origin", [OTHER, "null", "*", APP.upper(), f"{APP}.evil.example", "https://app"])
async def test_other_origin_gets_no_cors_headers(client: Client, origin: str) -> None:
    for method in ("GET", "OPTIONS"):
        asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        response = await client.request(method, "/thing", headers=asked)
        assert cors_of(response) == {}
        assert response.headers["Vary"] == "Origin"


async def test_cors_headers_are_absent_without_the_setting(serve: Serve) -> None:
    client = await serve(*ROUTES)
    response = await client.get("/thing", headers={"Origin": APP})
    assert cors_of(response) == {}
    assert "Vary" not in response.headers


def test_origins_are_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", f" {APP},http://localhost:5173 capacitor://localhost, {APP}")
    assert HttpSettings().cors_origins == (APP, "http://localhost:5173", "capacitor://localhost")
    monkeypatch.setenv("CORS_ORIGINS", "")
    assert HttpSettings().cors_origins == ()


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "null",
        "app.example.com",
        f"{APP}/",
        f"{APP}/path",
        "https://App.example.com",
        "https://*.example.com",
        "https://user@example.com",
        f"{APP}:443",
        "http://localhost:80",
        f"{APP}, *",
    ],
)
def test_invalid_origin_stops_the_start(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        origins_of(text)
    monkeypatch.setenv("CORS_ORIGINS", text)
    with pytest.raises(ValidationError):
        HttpSettings()
