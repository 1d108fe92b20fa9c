"""The OpenAPI document and its page, served whole and cached."""

import re

import pytest

from query_api.handlers.documents import ASSETS, BEGINNING, PAGE, START, START_NAME
from tests.unit.query_api.conftest import Api

PATHS = ["/openapi.json", "/docs", *(f"/docs/{name}" for name in (*ASSETS, START_NAME))]


@pytest.mark.parametrize("path", PATHS)
async def test_document_is_304_if_the_caller_has_it(api: Api, path: str) -> None:
    first = await api.get(path, who=None)
    assert first.status == 200
    assert await first.read()

    again = await api.get(path, who=None, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status == 304
    assert await again.read() == b""


@pytest.mark.parametrize("accept", ["text/html,application/xhtml+xml,*/*;q=0.8", "text/html"])
async def test_browser_is_redirected_to_the_page(api: Api, accept: str) -> None:
    response = await api.client.get("/", headers={"Accept": accept}, allow_redirects=False)
    assert (response.status, response.headers["Location"], response.headers["Vary"]) == (
        302,
        "/docs",
        "Accept",
    )


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
async def test_program_gets_the_entry_points(api: Api, accept: str) -> None:
    response = await api.get("/", who=None, headers={"Accept": accept})
    assert (response.status, await response.json()) == (200, BEGINNING)
    for path in ("docs", "openapi"):
        assert (await api.get(BEGINNING[path], who=None)).status == 200


async def test_the_document_is_json_and_the_page_obeys_a_policy(api: Api) -> None:
    document = await api.get("/openapi.json", who=None)
    assert document.content_type == "application/json"
    assert (await document.json())["openapi"].startswith("3.1")

    page = await api.get("/docs", who=None)
    assert page.content_type == "text/html"
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]


def test_the_page_takes_nothing_from_elsewhere() -> None:
    places = re.findall(r'(?:src|href|url: )="?([^"]+)"', (PAGE + START).decode())
    assert places
    assert all(place.startswith("/") and not place.startswith("//") for place in places)


async def test_other_files_of_the_package_are_404(api: Api) -> None:
    for name in ("index.html", "..%2f..%2fflask_swagger_ui.py", "VERSION"):
        assert (await api.get(f"/docs/{name}", who=None)).status == 404
