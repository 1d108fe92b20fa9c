"""The console in front of a real query-api, which runs on in-memory adapters."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestServer

from domain.access.permissions import Principal
from portal.settings import PortalSettings
from query_api.app import build_app as build_query_api
from tests.support.plain_browser import PlainBrowser
from tests.unit.portal.conftest import OpenPortal
from tests.unit.query_api.conftest import ADMIN, CLIENT, DRIVER, HASHER, settings, user
from tests.unit.query_api.conftest import World as ApiWorld

PASSWORD = "correct horse"  # noqa: S105  # of users in memory


class Console(PlainBrowser):
    """A browser without scripts, at the console."""

    async def log_in(self, who: Principal = ADMIN, password: str = PASSWORD) -> ClientResponse:
        return await self.post("/console/login", {"username": who.subject, "password": password})


@pytest.fixture
def api_world() -> ApiWorld:
    return ApiWorld()


@pytest.fixture
async def console(open_portal: OpenPortal, api_world: ApiWorld) -> AsyncIterator[Console]:
    """Give the console's login, with an admin, a client and a driver who have `PASSWORD`."""
    for who in (ADMIN, CLIENT, DRIVER):
        await api_world.users.add(user(who, await HASHER.hash(PASSWORD)))
    async with TestServer(build_query_api(settings(), opening=api_world.opened)) as server:
        portal = await open_portal(PortalSettings(api_url=str(server.make_url("")).rstrip("/")))
        origin = str(portal.make_url("")).rstrip("/")
        yield Console(portal, origin)


@pytest.fixture
async def operator(console: Console) -> Console:
    """Give the console with an admin logged in."""
    response = await console.log_in()
    assert response.status == 303, await response.text()
    return console
