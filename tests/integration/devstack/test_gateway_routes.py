"""The gateway sends each route to the service that declares it, and nothing about secrets is cached."""

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Final

import pytest

import ingest_api.routes
import portal.routes
import query_api.routes
import webhooks.routes
from httpkit.routes import Route
from tests.integration.devstack.door import Door, open_door

pytestmark = pytest.mark.stack

ROUTES: Final[Mapping[str, Iterable[Route]]] = {
    "ingest-api": ingest_api.routes.ROUTES,
    "query-api": query_api.routes.ROUTES,
    "webhooks": webhooks.routes.ROUTES,
    "portal": portal.routes.ROUTES,
}
UNCACHED: Final = re.compile(r"/(auth|webhooks|track|console)(/|$)|/shipments/[^/]+/links(/|$)")


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path) as opened:
        yield opened


async def test_each_route_reaches_the_service_that_declares_it(door: Door) -> None:
    for service, routes in ROUTES.items():
        asked = [f"{route.method} {example_of(route.path)}" for route in routes]
        [stand_in] = door.services[service]
        stand_in.seen.clear()
        for line in asked:
            async with door.session.request(*line.split(" ")) as response:
                assert response.status == 200, line
        assert stand_in.seen == asked


async def test_what_may_show_a_secret_is_cached_nowhere(door: Door) -> None:
    for route in (route for routes in ROUTES.values() for route in routes):
        path = example_of(route.path)
        async with door.session.request(route.method, path) as response:
            is_uncached = response.headers.get("Cache-Control") == "no-store"
            assert is_uncached == bool(UNCACHED.match(path)), f"{route.method} {path}"


def example_of(pattern: str) -> str:
    """Return a path that a route's pattern matches: each part in braces becomes `7`."""
    path, depth = "", 0
    for character in pattern:
        if character == "{":
            path, depth = path + ("" if depth else "7"), depth + 1
        elif character == "}":
            depth -= 1
        elif not depth:
            path += character
    return path
