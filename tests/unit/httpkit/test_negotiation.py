"""Media types of bodies and responses, and the headers of OPTIONS."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from httpkit.middleware.request_spans import traceparent_of
from httpkit.request.negotiation import JSON, NDJSON, accepts_json, require_media_type
from httpkit.response.errors import ApiError
from httpkit.response.json_responses import json_response
from httpkit.routes import Route
from tests.unit.httpkit.conftest import Serve

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def hello(_request: web.Request) -> web.Response:
    return json_response({})


def with_headers(*headers: tuple[str, str]) -> web.Request:
    return make_mocked_request("POST", "/", headers=CIMultiDict(headers))


@pytest.mark.parametrize(
    "accept",
    [
        *(
            "*/*",
            "application/json",
            "Application/JSON",
            "application/*",
            "text/html, */*;q=0.1",
            "",
            ",",
            "x",
        ),
        *(
            "application/json;charset=utf-8",
            "text/html;q=0, application/json;q=0.001",
            "*/*;q=0, application/json",
        ),
        "application/*;q=0, application/json;q=1.000",
    ],
)
def test_json_is_acceptable(accept: str) -> None:
    assert accepts_json(accept)


@pytest.mark.parametrize(
    "accept",
    [
        *(
            "text/html",
            "application/xml, text/*",
            "application/json;q=0",
            "*/*;q=0.000",
            "application/json;v=2",
        ),
        *("application/json;q=0, */*", "application/*;q=0, */*;q=1"),
    ],
)
def test_json_is_not_acceptable(accept: str) -> None:
    assert not accepts_json(accept)


async def test_accept_without_json_is_406(serve: Serve) -> None:
    client = await serve(Route("GET", "/hello", hello, None))
    response = await client.get("/hello", headers={"Accept": "text/html"})
    assert (response.status, (await response.json())["error"]) == (406, "NOT_ACCEPTABLE")
    assert (await client.get("/hello", headers={"Accept": "text/html, */*;q=0.1"})).status == 200
    assert (await client.get("/health", headers={"Accept": "text/html"})).status == 200
    assert (await client.get("/nothing", headers={"Accept": "text/html"})).status == 404


@pytest.mark.parametrize(
    "given", [JSON, "application/JSON", "application/json; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_in_utf_8_is_accepted(given: str) -> None:
    assert require_media_type(with_headers(("Content-Type", given)), JSON) == JSON


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("Content-Type", "text/plain"),),
        (("Content-Type", "application/json; charset=latin1"),),
        (("Content-Type", "application/json; version=1"),),
        (("Content-Type", "application/json"), ("Content-Type", "application/json")),
    ],
)
def test_unsupported_type_is_415_with_the_supported_ones(headers: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ApiError) as refused:
        require_media_type(with_headers(*headers), JSON, NDJSON)
    assert (refused.value.status, refused.value.headers) == (415, {"Accept": f"{JSON}, {NDJSON}"})


@pytest.mark.parametrize("codings", [("br",), ("gzip, gzip",), ("gzip", "identity"), ("deflate",), ("",)])
def test_unsupported_content_encoding_is_415(codings: tuple[str, ...]) -> None:
    headers = [("Content-Encoding", coding) for coding in codings]
    with pytest.raises(ApiError) as refused:
        require_media_type(with_headers(("Content-Type", JSON), *headers), JSON)
    assert (refused.value.status, refused.value.headers) == (415, {"Accept-Encoding": "gzip, identity"})


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip", "identity"])
def test_a_body_may_be_compressed_with_gzip(coding: str) -> None:
    assert (
        require_media_type(with_headers(("Content-Type", JSON), ("Content-Encoding", coding)), JSON) == JSON
    )


async def test_options_returns_methods_media_types_and_limits(serve: Serve) -> None:
    hints = (("Accept-Post", JSON),)
    client = await serve(
        Route("GET", "/hello", hello, None), Route("POST", "/hello", hello, None, hints=hints)
    )
    response = await client.options("/hello")
    assert (response.status, await response.read()) == (204, b"")
    assert response.headers["Allow"] == "GET,HEAD,OPTIONS,POST"
    assert (response.headers["Accept-Post"], response.headers["Waybill-Max-Bytes"]) == (JSON, "4096")
    assert (await client.options("/nothing")).status == 404


async def test_expectation_is_met_or_rejected(serve: Serve) -> None:
    client = await serve(Route("POST", "/hello", hello, None))
    response = await client.post("/hello", data=b"x", headers={"Expect": "a miracle"})
    assert (response.status, (await response.json())["status_code"]) == (417, 417)
    assert (await client.post("/hello", data=b"x", expect100=True)).status == 200
    response = await client.post("/hello", data=b"x" * 5000, headers={"Expect": "100-continue"})
    assert (response.status, (await response.json())["error"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    "given", [TRACE, TRACE.replace("00-", "01-", 1), TRACE.replace("00-", "01-", 1) + "-more"]
)
def test_valid_traceparent_is_propagated(given: str) -> None:
    assert traceparent_of(with_headers(("traceparent", given))) == given


@pytest.mark.parametrize(
    "given",
    ["", "00-x", TRACE + "-more", TRACE.upper(), f"ff{TRACE[2:]}", TRACE[:3] + "0" * 32 + TRACE[35:]],
)
def test_invalid_traceparent_is_ignored(given: str) -> None:
    assert traceparent_of(with_headers(("traceparent", given))) is None
    assert traceparent_of(with_headers(("traceparent", TRACE), ("traceparent", TRACE))) is None
