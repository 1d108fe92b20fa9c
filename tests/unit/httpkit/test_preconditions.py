"""If-Match and If-None-Match: parsing, and that no write ignores them."""

import time

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from httpkit.request.preconditions import MAX_TAGS, expected_versions, matched_versions, required_existence
from httpkit.response.errors import ApiError
from httpkit.response.json_responses import json_response
from httpkit.routes import Route
from tests.unit.httpkit.conftest import Client, Serve

WRITES = ("POST", "PUT", "PATCH", "DELETE")


def request_with(*headers: tuple[str, str]) -> web.Request:
    return make_mocked_request("PATCH", "/", headers=CIMultiDict(headers))


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("*", None),
        (" * ", None),
        ('"v3"', (3,)),
        ('"v3-gzip"', (3,)),
        ('"v12-zstd"', (12,)),
        ('"v3","v4" , "v3"', (3, 4)),
        (', "v3",,', (3,)),
        ('W/"v3"', ()),
        ('W/"v3", "v4"', (4,)),
        ('"v03"', ()),
        ('"v0"', ()),
        ('"3"', ()),
        ('"v3-br"', ()),
        ('"v99999999999"', ()),
        ('"foreign,with,commas,and-ñ"', ()),
        ('""', ()),
    ],
)
def test_the_tags_of_if_match_are_versions(text: str, versions: tuple[int, ...] | None) -> None:
    assert matched_versions(request_with(("If-Match", text))) == versions
    assert expected_versions(request_with(("If-Match", text))) == versions


def test_several_lines_are_one_list() -> None:
    assert matched_versions(request_with(("If-Match", '"v1"'), ("If-Match", '"v2"'))) == (1, 2)


def test_missing_if_match_accepts_any_version() -> None:
    assert expected_versions(request_with()) is None


@pytest.mark.parametrize(
    "text",
    ["", ",", "v3", '"v3', 'v3"', '*, "v3"', '"v3", *', '"v3" "v4"', '"v3""v4"', 'w/"v3"', "'v3'", '"v 3"x'],
)
@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
def test_malformed_list_of_tags_is_400(name: str, text: str) -> None:
    with pytest.raises(ApiError) as refused:
        expected_versions(request_with((name, text)))
    assert (refused.value.status, name in refused.value.message) == (400, True)


def test_number_of_tags_is_bounded() -> None:
    tags = [f'"v{n}"' for n in range(1, MAX_TAGS + 2)]
    assert matched_versions(request_with(("If-Match", ",".join(tags[:-1])))) == tuple(range(1, MAX_TAGS + 1))
    with pytest.raises(ApiError, match="more than 100"):
        matched_versions(request_with(("If-Match", ",".join(tags))))


def test_a_write_to_what_exists_can_never_hold_if_none_match_any() -> None:
    assert expected_versions(request_with(("If-None-Match", "*"))) == ()
    assert expected_versions(request_with(("If-None-Match", "*"), ("If-Match", '"v1"'))) == ()


def test_tags_in_if_none_match_are_rejected_rather_than_ignored() -> None:
    with pytest.raises(ApiError, match="as If-Match") as refused:
        expected_versions(request_with(("If-None-Match", '"v1"')))
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("headers", "required"),
    [
        ([], None),
        ([("If-None-Match", "*")], False),
        ([("If-Match", "*")], True),
        ([("If-None-Match", '"x"')], None),
    ],
)
def test_put_may_require_that_its_target_exists_or_not(
    headers: list[tuple[str, str]], *, required: bool | None
) -> None:
    assert required_existence(request_with(*headers)) is required


@pytest.mark.parametrize("headers", [[("If-Match", '"v1"')], [("If-Match", "*"), ("If-None-Match", "*")]])
def test_put_to_a_target_without_tag_never_matches_one(headers: list[tuple[str, str]]) -> None:
    with pytest.raises(ApiError) as refused:
        required_existence(request_with(*headers))
    assert refused.value.status == 412


@pytest.mark.parametrize(
    "hostile", ['"' * 32_768, '"a' * 16_384, ", " * 16_384, 'W/"\\"' * 8_000, ' "a"' * 8_000]
)
def test_hostile_lists_take_bounded_time(hostile: str) -> None:
    began = time.perf_counter()
    with pytest.raises(ApiError):
        matched_versions(request_with(("If-Match", hostile)))
    assert time.perf_counter() - began < 0.1


async def changed(_request: web.Request) -> web.Response:
    return json_response({})


@pytest.fixture
async def plain(serve: Serve) -> Client:
    return await serve(
        *(Route(method, "/thing", changed, None) for method in (*WRITES, "GET")),
        *(Route(method, "/versioned", changed, None, is_conditional=True) for method in WRITES),
    )


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-Match": '"v1"'}, 412),
        ({"If-None-Match": "*"}, 412),
        ({"If-Match": "v1"}, 400),
        ({"If-Match": "*"}, 200),
        ({"If-None-Match": '"v1"'}, 200),
        ({}, 200),
    ],
)
async def test_write_without_versions_rejects_impossible_preconditions(
    plain: Client, method: str, headers: dict[str, str], status: int
) -> None:
    async with plain.request(method, "/thing", headers=headers) as response:
        assert response.status == status
        if status == 412:
            assert (await response.json())["error"] == "PRECONDITION_FAILED"


@pytest.mark.parametrize("method", WRITES)
async def test_conditional_routes_and_reads_evaluate_preconditions_themselves(
    plain: Client, method: str
) -> None:
    async with plain.request(method, "/versioned", headers={"If-Match": '"v1"'}) as response:
        assert response.status == 200
    async with plain.get("/thing", headers={"If-Match": '"v1"'}) as response:
        assert response.status == 200


async def test_precondition_on_an_unknown_path_is_404(plain: Client) -> None:
    async with plain.delete("/nothing", headers={"If-Match": '"v1"'}) as response:
        assert response.status == 404
