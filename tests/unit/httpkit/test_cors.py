"""Pages of other origins: those that are named, and nobody else."""

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


def cors_of(answer: object) -> dict[str, str]:
    headers = getattr(answer, "headers", {})
    return {name: value for name, value in headers.items() if name.lower().startswith("access-control-")}


async def test_a_named_origin_may_read_answers_and_errors(client: Client) -> None:
    for path, status in (("/thing", 200), ("/private", 401), ("/nothing", 404)):
        method = "POST" if path == "/private" else "GET"
        answer = await client.request(method, path, headers={"Origin": APP})
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (status, APP)
        assert {"ETag", "Retry-After"} <= set(answer.headers["Access-Control-Expose-Headers"].split(", "))
        assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_a_preflight_says_which_methods_and_headers_may_come(client: Client) -> None:
    asked = {"Origin": APP, "Access-Control-Request-Method": "PATCH"}
    answer = await client.options("/thing", headers=asked)
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS, PATCH"
    assert {"Authorization", "If-Match", "Idempotency-Key"} <= set(
        answer.headers["Access-Control-Allow-Headers"].split(", ")
    )
    assert answer.headers["Access-Control-Max-Age"] == "600"


@pytest.mark.parametrize("origin", [OTHER, "null", "*", APP.upper(), f"{APP}.evil.example", "https://app"])
async def test_another_origin_is_told_nothing(client: Client, origin: str) -> None:
    for method in ("GET", "OPTIONS"):
        asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        answer = await client.request(method, "/thing", headers=asked)
        assert cors_of(answer) == {}
        assert answer.headers["Vary"] == "Origin"


async def test_without_the_setting_there_is_no_trace_of_it(serve: Serve) -> None:
    client = await serve(*ROUTES)
    answer = await client.get("/thing", headers={"Origin": APP})
    assert cors_of(answer) == {}
    assert "Vary" not in answer.headers


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
def test_what_is_no_origin_stops_the_start(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        origins_of(text)
    monkeypatch.setenv("CORS_ORIGINS", text)
    with pytest.raises(ValidationError):
        HttpSettings()
