"""Pages of lists: requested window, response body, cursor and `Link` (RFC 8288)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from aiohttp import hdrs, web

from domain.ports.queries import Page, Period, Window, filter_key
from httpkit.listing.cursors import Cursor, InvalidCursor, read_cursor, write_cursor
from httpkit.listing.list_queries import CursorQuery
from httpkit.listing.query_parameters import Instant
from httpkit.request.bodies import validation_error
from httpkit.response.errors import ApiError, Detail
from httpkit.response.json_responses import json_response

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# Revalidated each time: a cached response must not outlive a token or a status.
PRIVATE: Final[Mapping[str, str]] = {hdrs.CACHE_CONTROL: "private, no-cache"}


@dataclass(frozen=True, slots=True)
class Listing:
    """One requested page.

    Attributes:
        window: the part of the list.
        shown: the number of entries before it, skipped or on earlier pages.
        listed: the list and its filters, for cursors.
    """

    window: Window
    shown: int
    listed: str


def listing_of(query: CursorQuery, matching: "DataclassInstance") -> Listing:
    """Return the page that a query requests.

    Args:
        query: as sent.
        matching: the filters of the list, as a dataclass of their own, which tells lists apart.

    Raises:
        ApiError: 400, the cursor is not of this list, or comes with an offset.
    """
    listed = filter_key(matching)
    if query.cursor is None:
        return Listing(Window(limit=query.limit, offset=query.offset), query.offset, listed)
    if query.offset:
        raise invalid_parameter("offset", "a cursor knows where it is: send one of the two")
    try:
        cursor = read_cursor(query.cursor, listed)
    except InvalidCursor as error:
        raise invalid_parameter("cursor", str(error)) from error
    return Listing(Window(limit=query.limit, after=cursor.after), cursor.shown, listed)


def page_response(request: web.Request, page: Page, listing: Listing) -> web.Response:
    """Return the response with a page and links to its neighbours."""
    following = None
    if page.last is not None:
        cursor = Cursor(page.last, listing.shown + len(page.data))
        following = write_cursor(cursor, listing.listed)
    body = {
        "data": page.data,
        "pagination": {
            "total": page.total,
            "limit": listing.window.limit,
            "offset": listing.shown,
            "has_next": following is not None,
            "next_cursor": following,
        },
    }
    return json_response(body, headers={**PRIVATE, hdrs.LINK: _links(request, listing, following)})


def period_of(start: Instant | None, end: Instant | None, *, name_of_end: str) -> Period:
    """Return the period between two parameters.

    Raises:
        ApiError: 400, it is empty.
    """
    if start is not None and end is not None and start >= end:
        raise invalid_parameter(name_of_end, "this end is not after its beginning")
    return Period(start=start, end=end)


def invalid_parameter(name: str, message: str) -> ApiError:
    """Return the error for a parameter that is well formed but not valid."""
    return validation_error([Detail(f"/{name}", message)])


def _links(request: web.Request, listing: Listing, following: str | None) -> str:
    """Return links relative to the host, because the public host name is not known here."""
    kept = {name: value for name, value in request.query.items() if name not in ("cursor", "offset")}
    links = [_link(request, kept, "first")]
    if listing.window.offset:
        before = max(listing.window.offset - listing.window.limit, 0)
        links.append(_link(request, kept | {"offset": str(before)}, "prev"))
    if following is not None:
        links.append(_link(request, kept | {"cursor": following}, "next"))
    return ", ".join(links)


def _link(request: web.Request, query: Mapping[str, Any], relation: str) -> str:
    written = f"?{urlencode(query)}" if query else ""
    return f'<{request.rel_url.raw_path}{written}>; rel="{relation}"'
