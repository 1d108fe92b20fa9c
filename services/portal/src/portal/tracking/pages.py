"""Handlers of the tracking pages."""

from dataclasses import dataclass

from aiohttp import web

from portal.web.rendering import render


@dataclass(frozen=True, slots=True)
class SearchView:
    """The page with the field for a tracking number.

    Attributes:
        number: as it was typed; empty at first.
    """

    number: str


async def get_search(request: web.Request) -> web.Response:
    """Return the page with the field for a tracking number."""
    return render(request, "tracking/search.html", SearchView(""))
