"""The console in front of a real query-api, which runs on in-memory adapters."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestServer

from domain.access.permissions import Principal
from portal.settings import PortalSettings
from query_api.app import build_app as build_query_api
from tests.unit.portal.conftest import Client, OpenPortal
from tests.unit.query_api.conftest import ADMIN, CLIENT, DRIVER, HASHER, settings, user
from tests.unit.query_api.conftest import World as ApiWorld

PASSWORD = "correct horse"  # noqa: S105  # of users in memory
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Console:
    """A browser without scripts, at the console: it keeps cookies, and follows nothing by itself."""

    client: Client
    origin: str

    async def get(self, path: str, headers: dict[str, str] | None = None) -> ClientResponse:
        return await self.client.get(path, headers=headers, allow_redirects=False)

    async def post(
        self, path: str, fields: object = (), headers: dict[str, str] | None = None
    ) -> ClientResponse:
        """Send a form, as a page of our own does."""
        sent = {"Origin": self.origin, **FORM, **(headers or {})}
        body = urlencode(fields, doseq=True)  # type: ignore[arg-type]  # pairs or a mapping
        return await self.client.post(path, data=body, headers=sent, allow_redirects=False)

    async def log_in(self, who: Principal = ADMIN, password: str = PASSWORD) -> ClientResponse:
        return await self.post("/console/login", {"username": who.subject, "password": password})

    async def shown(
        self, path: str, fields: object = (), status: int = 200, headers: dict[str, str] | None = None
    ) -> str:
        """Send a form and return the page that it shows."""
        response = await self.post(path, fields, headers)
        text = await response.text()
        assert response.status == status, text
        return text

    async def page(self, path: str, status: int = 200) -> str:
        """Return a page as text."""
        response = await self.get(path)
        text = await response.text()
        assert response.status == status, text
        return text


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
