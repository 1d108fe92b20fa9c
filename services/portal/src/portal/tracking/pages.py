"""Handlers of the tracking pages."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from aiohttp import hdrs, web

from portal.adapters import ADAPTERS
from portal.settings import SETTINGS
from portal.tracking.links import shipment_by_link
from portal.tracking.reading import Reading
from portal.tracking.view import shipment_view
from portal.web.languages import language_of
from portal.web.rendering import PAGE_PATH, frame_of, render

LONGEST_NUMBER: Final = 64


@dataclass(frozen=True, slots=True)
class SearchView:
    """The page with the field for a tracking number.

    Attributes:
        is_answer: a number was looked up and not found.
    """

    is_answer: bool


async def get_search(request: web.Request) -> web.Response:
    """Return the page with the field for a tracking number, or send its reader on to the typed number."""
    typed = "".join(request.query.get("number", "").split())[:LONGEST_NUMBER]
    if typed:
        return _send_on(request, typed)
    return render(request, "tracking/search.html", SearchView(is_answer=False))


async def get_shipment(request: web.Request) -> web.Response:
    """Return the page of a shipment; all that is not one has the same page, with 404."""
    typed = request.match_info["tracking_number"]
    found = await shipment_by_link(request, typed) or await request.app[ADAPTERS].public_shipments.find(typed)
    if found is None:
        return _not_found(request)
    if found.tracking_number != typed:
        return _send_on(request, found.tracking_number)
    return render(request, "tracking/shipment.html", shipment_view(found, _reading(request)))


def _reading(request: web.Request) -> Reading:
    zone = request.app[SETTINGS].portal.time_zone
    return Reading(language_of(request), request.app[ADAPTERS].clock.now(), zone)


def _not_found(request: web.Request) -> web.Response:
    # The page does not depend on the text: its links lead to the field, not back here.
    request[PAGE_PATH] = "/track"
    view = SearchView(is_answer=True)
    return render(request, "tracking/search.html", view, status=web.HTTPNotFound.status_code)


def _send_on(request: web.Request, number: str) -> web.Response:
    address = frame_of(request).link(f"/track/{quote(number, safe='')}")
    return web.Response(status=web.HTTPSeeOther.status_code, headers={hdrs.LOCATION: address})
