"""Errors: every failure has the error body, and none reveals internals."""

import asyncio
from collections.abc import Iterator
from datetime import datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from domain import errors
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import STATUS, ApiError, Detail, Handler, error_middleware
from httpkit.routes import Route
from tests.unit.httpkit.conftest import Serve


def subclasses(root: type[Exception]) -> Iterator[type[Exception]]:
    for each in root.__subclasses__():
        if each.__module__ == errors.__name__:
            yield each
            yield from subclasses(each)


def raising(error: BaseException) -> Handler:
    async def handler(_request: web.Request) -> web.Response:
        raise error

    return handler


def test_every_code_has_a_status() -> None:
    assert set(STATUS) == set(ErrorCode)


def test_codes_are_spelled_as_they_are_named_and_sorted() -> None:
    names = [code.name for code in ErrorCode]
    assert names == [code.value for code in ErrorCode] == sorted(names)


async def test_error_body_has_code_message_status_and_time(serve: Serve) -> None:
    error = ApiError(ErrorCode.VALIDATION_ERROR, "no", details=[Detail("/events/3/timestamp", "too early")])
    client = await serve(Route("GET", "/", raising(error), None))
    response = await client.get("/")
    body = await response.json()
    assert response.status == 400
    assert response.content_type == "application/json"
    assert datetime.fromisoformat(body.pop("timestamp")).tzinfo is not None
    assert body == {
        "error": "VALIDATION_ERROR",
        "message": "no",
        "status_code": 400,
        "details": [{"pointer": "/events/3/timestamp", "message": "too early"}],
    }


async def test_route_may_override_the_status(serve: Serve) -> None:
    error = ApiError(ErrorCode.IDEMPOTENCY_CONFLICT, "no", status=409, headers={"Preference-Applied": "wait"})
    client = await serve(Route("GET", "/", raising(error), None))
    response = await client.get("/")
    assert (response.status, (await response.json())["status_code"]) == (409, 409)
    assert response.headers["Preference-Applied"] == "wait"
    assert "details" not in await response.json()


@pytest.mark.parametrize("kind", list(subclasses(errors.TransientError)))
async def test_transient_error_is_503(serve: Serve, kind: type[Exception]) -> None:
    client = await serve(Route("GET", "/", raising(kind("mongodb://secret-host")), None))
    response = await client.get("/")
    assert (response.status, response.headers["Retry-After"]) == (503, "1")
    assert "secret-host" not in await response.text()


@pytest.mark.parametrize("kind", [errors.InvalidEventId, errors.InvalidTrackingNumber])
async def test_an_unreadable_id_is_404_on_reads_and_400_on_writes(
    serve: Serve, kind: type[Exception]
) -> None:
    handler = raising(kind("wrong form"))
    client = await serve(Route("GET", "/", handler, None), Route("PATCH", "/", handler, None))
    read, written = await client.get("/"), await client.patch("/")
    assert (read.status, written.status) == (404, 400)
    assert (await read.json())["error"] in ("SHIPMENT_NOT_FOUND", "EVENT_NOT_FOUND")
    assert (await written.json())["error"] == "VALIDATION_ERROR"


async def test_query_that_is_too_large_is_400(serve: Serve) -> None:
    client = await serve(Route("GET", "/", raising(errors.TooMuchToRead("too much")), None))
    response = await client.get("/")
    assert (response.status, (await response.json())["error"]) == (400, "VALIDATION_ERROR")


async def test_the_last_admin_is_409(serve: Serve) -> None:
    client = await serve(Route("PATCH", "/", raising(errors.LastAdmin("the last")), None))
    response = await client.patch("/")
    assert (response.status, (await response.json())["error"]) == (409, "LAST_ADMIN")


def test_every_business_error_has_a_response() -> None:
    answered = {
        errors.InvalidEventId,
        errors.InvalidTrackingNumber,
        errors.LastAdmin,
        errors.TooMuchToRead,
    }
    assert set(subclasses(errors.BusinessError)) == answered


@pytest.mark.parametrize(
    "error", [errors.Fenced("a secret"), errors.PoisonRecord("a secret"), KeyError("a secret")]
)
async def test_unexpected_error_is_500_without_its_text(serve: Serve, error: Exception) -> None:
    client = await serve(Route("GET", "/", raising(error), None))
    response = await client.get("/")
    assert response.status == 500
    assert (await response.json())["error"] == "INTERNAL_ERROR"
    assert "secret" not in await response.text()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (web.HTTPNotFound(), "NOT_FOUND"),
        (web.HTTPRequestEntityTooLarge(10, 11), "PAYLOAD_TOO_LARGE"),
        (web.HTTPUnsupportedMediaType(), "UNSUPPORTED_MEDIA_TYPE"),
        (web.HTTPTooManyRequests(), "VALIDATION_ERROR"),
        (web.HTTPBadGateway(), "INTERNAL_ERROR"),
    ],
)
async def test_errors_of_the_framework_have_the_same_body(
    serve: Serve, error: web.HTTPException, code: str
) -> None:
    client = await serve(Route("GET", "/", raising(error), None))
    response = await client.get("/")
    body = await response.json()
    assert (response.status, body["status_code"], body["error"]) == (error.status, error.status, code)


async def test_a_redirection_is_no_error(serve: Serve) -> None:
    client = await serve(Route("GET", "/", raising(web.HTTPFound("/docs")), None))
    response = await client.get("/", allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (302, "/docs")


async def test_unknown_path_is_404(serve: Serve) -> None:
    client = await serve()
    response = await client.get("/nothing")
    assert (response.status, (await response.json())["error"]) == (404, "NOT_FOUND")


async def test_unsupported_method_is_405_with_allow(serve: Serve) -> None:
    client = await serve()
    response = await client.delete("/health")
    assert (response.status, (await response.json())["error"]) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["Allow"] == "GET,HEAD,OPTIONS,POST"


async def test_cancellation_passes() -> None:
    with pytest.raises(asyncio.CancelledError):
        await error_middleware(make_mocked_request("GET", "/"), raising(asyncio.CancelledError()))
