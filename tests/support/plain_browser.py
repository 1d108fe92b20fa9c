"""A browser without scripts: it sends forms and keeps cookies, and follows nothing by itself."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientResponse

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class PlainBrowser:
    """A browser at one origin.

    Attributes:
        client: a session of aiohttp, or a client of its test server: both send alike.
    """

    client: Any
    origin: str

    async def get(self, path: str, headers: dict[str, str] | None = None) -> ClientResponse:
        response: ClientResponse = await self.client.get(path, headers=headers, allow_redirects=False)
        return response

    async def post(
        self, path: str, fields: object = (), headers: dict[str, str] | None = None
    ) -> ClientResponse:
        """Send a form, as a page of our own does."""
        sent = {"Origin": self.origin, **FORM, **(headers or {})}
        body = urlencode(fields, doseq=True)  # type: ignore[arg-type]  # pairs or a mapping
        response: ClientResponse = await self.client.post(
            path, data=body, headers=sent, allow_redirects=False
        )
        return response

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
