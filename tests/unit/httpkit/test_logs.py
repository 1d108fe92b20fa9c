"""Logs and request ids."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from aiohttp import web
from structlog.testing import capture_logs

from httpkit.middleware.request_ids import new_request_id
from httpkit.routes import Route
from servicekit.logs import configure_logs
from servicekit.settings import Environment, ServiceSettings
from tests.unit.httpkit.conftest import Serve

Output = pytest.CaptureFixture[str]


@pytest.fixture
def output(capsys: Output) -> Iterator[Output]:
    """Capture the log, and restore the configuration afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield capsys
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def configure(env: Environment = Environment.PRODUCTION) -> None:
    settings = ServiceSettings(env=env, log_level="info", instance_id="host-1")
    configure_logs(settings, service="query-api")
    structlog.configure(cache_logger_on_first_use=False)  # or loggers of modules outlive this test


def lines(output: Output) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.readouterr().out.splitlines()]


async def echo(_request: web.Request) -> web.Response:
    structlog.get_logger().info("handling")
    return web.Response()


async def fail(_request: web.Request) -> web.Response:
    password = "hunter2"  # noqa: S105  # the value that must not be logged
    raise RuntimeError(f"{len(password)} characters")


ECHO = Route("GET", "/", echo, None)


async def test_each_request_has_an_id_of_its_own(serve: Serve) -> None:
    client = await serve(ECHO)
    first, second = [(await client.get("/")).headers["X-Request-Id"] for _ in range(2)]
    assert first != second


@pytest.mark.parametrize("given", ["abc", "x" * 128, "00-4bf92f-00f067aa0ba902b7/1"])
async def test_well_formed_id_of_the_caller_is_used(serve: Serve, given: str) -> None:
    client = await serve(ECHO)
    response = await client.get("/", headers={"X-Request-Id": given})
    assert response.headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "naïve", "tab\tbed"])
async def test_malformed_request_id_is_replaced(serve: Serve, given: str) -> None:
    client = await serve(ECHO)
    response = await client.get("/", headers={"X-Request-Id": given})
    assert response.headers["X-Request-Id"] != given


async def test_errors_have_the_request_id_too(serve: Serve) -> None:
    client = await serve(ECHO)
    assert "X-Request-Id" in (await client.get("/nothing")).headers


async def test_server_header_has_no_version(serve: Serve) -> None:
    client = await serve(ECHO)
    assert (await client.get("/")).headers["Server"] == "waybill"


async def test_each_line_has_the_id_of_its_request_and_none_that_is_written_after_it(
    serve: Serve, output: Output
) -> None:
    configure()
    client = await serve(ECHO)
    await client.get("/", headers={"X-Request-Id": "first"})
    await client.get("/", headers={"X-Request-Id": "second"})
    structlog.get_logger().info("after")
    found = [(line["event"], line.get("request_id")) for line in lines(output)]
    assert found == [("handling", "first"), ("handling", "second"), ("after", None)]


async def test_a_request_is_logged_at_debug_only(serve: Serve) -> None:
    client = await serve(ECHO)
    with capture_logs() as captured:
        await client.get("/")
    (line,) = (each for each in captured if each["event"] == "request")
    assert (line["log_level"], line["status"], line["path"]) == ("debug", 200, "/")


def test_request_ids_differ() -> None:
    assert len({new_request_id() for _ in range(1000)}) == 1000


def test_log_line_is_json_with_service_and_instance(output: Output) -> None:
    configure()
    structlog.get_logger().info("listening", port=8080)
    structlog.get_logger().debug("too quiet")
    (line,) = lines(output)
    assert line.pop("timestamp").endswith("Z")
    expected = {"event": "listening", "port": 8080, "level": "info"}
    assert line == expected | {"service": "query-api", "instance_id": "host-1"}


def test_libraries_log_in_the_same_form(output: Output) -> None:
    configure()
    logging.getLogger("a.library").warning("broker %s is gone", 1)
    logging.getLogger("a.library").info("too much")
    (line,) = lines(output)
    assert (line["event"], line["logger"], line["level"]) == ("broker 1 is gone", "a.library", "warning")
    assert line["service"] == "query-api"


@pytest.mark.parametrize("env", Environment)
async def test_a_traceback_never_shows_values(serve: Serve, output: Output, env: Environment) -> None:
    configure(env)
    client = await serve(Route("GET", "/", fail, None))
    await client.get("/", headers={"X-Request-Id": "the-one"})
    written = output.readouterr().out
    assert all(part in written for part in ("request_failed", "RuntimeError", "7 characters", "the-one"))
    assert "hunter2" not in written


def test_development_logs_are_readable(output: Output) -> None:
    configure(Environment.DEVELOPMENT)
    structlog.get_logger().info("listening", port=8080)
    written = output.readouterr().out
    assert "listening" in written
    assert not written.startswith("{")
