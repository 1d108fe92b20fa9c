"""Lists of the API, page after page."""

from collections.abc import AsyncIterator
from dataclasses import replace
from http import HTTPStatus
from typing import Generic, TypeVar

from waybill._async.connection import AsyncConnection
from waybill.errors import UnexpectedResponse
from waybill.models.base import Model
from waybill.models.page import Page
from waybill.transport import Call

ItemT = TypeVar("ItemT", bound=Model)


class AsyncListing(Generic[ItemT]):
    """List of the API: iterate over it for all items, or over `pages()`.

    Each iteration begins at the first page.
    """

    def __init__(self, connection: AsyncConnection, call: Call, item: type[ItemT]) -> None:
        self._connection = connection
        self._call = call
        self._page = Page[item]  # type: ignore[valid-type]

    async def __aiter__(self) -> AsyncIterator[ItemT]:
        """Yield all items; a page is fetched when its first item is asked for."""
        async for page in self.pages():
            for item in page.data:
                yield item

    async def pages(self) -> AsyncIterator[Page[ItemT]]:
        """Yield the pages."""
        call: Call | None = self._call
        while call is not None:
            reply = await self._connection.call(call)
            page = reply.as_model(self._page)
            yield page
            call = _next(call, page)

    async def first_page(self) -> Page[ItemT]:
        """Return the first page."""
        reply = await self._connection.call(self._call)
        return reply.as_model(self._page)


def _next(call: Call, page: Page[ItemT]) -> Call | None:
    position = page.pagination
    if not position.has_next or not page.data:
        return None
    if position.next_cursor is not None:
        if position.next_cursor == call.query.get("cursor"):
            raise UnexpectedResponse(HTTPStatus.OK, message="the list has no end: a page leads to itself")
        query = {name: value for name, value in call.query.items() if name != "offset"}
        return replace(call, query={**query, "cursor": position.next_cursor})
    return replace(call, query={**call.query, "offset": str(position.offset + len(page.data))})
