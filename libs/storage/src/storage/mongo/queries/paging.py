"""Pages of lists in MongoDB: one entry more than requested is read, to detect the last page."""

from collections.abc import Sequence
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from domain.ports.core import Document
from domain.ports.queries import Page, Position, Window
from storage.mongo.queries.lists import ListQuery
from storage.mongo.queries.totals import Totals

Collection = AsyncCollection[dict[str, Any]]


class MongoList:
    """Collection that is listed by time."""

    def __init__(self, collection: Collection, fields: Sequence[str], *, id_as: str, time: str) -> None:
        """Describe a list.

        Args:
            collection: to list.
            fields: of a document to return.
            id_as: the name that `_id` has in the API.
            time: the field that the list is ordered by.
        """
        self.totals = Totals(collection)
        self._collection = collection
        self._fields = fields
        self._names = id_as, time

    async def page(self, listed: ListQuery, window: Window) -> Page:
        """Return a page of a list."""
        total = await self.totals.of(listed)
        query, index = listed.after(window.after), listed.index_for(total)
        cursor = self._collection.find(query, self._fields, sort=listed.order, hint=index)
        found = await cursor.skip(window.offset).limit(window.limit + 1).to_list()
        id_as, time = self._names
        return page_of([shown(each, id_as) for each in found], window, total=total, order=(time, id_as))


def page_of(found: list[Document], window: Window, *, total: int, order: tuple[str, str]) -> Page:
    """Return the page that begins with `found`, which holds one entry more if there is a next page.

    Args:
        found: documents in the shape of the API.
        window: as requested.
        total: number of all matches.
        order: the names of the instant and the id that the list is ordered by.
    """
    data = found[: window.limit]
    if len(found) == len(data):
        return Page(data=data, total=total)
    time, id_as = order
    return Page(data=data, total=total, last=Position(data[-1][time], data[-1][id_as]))


def shown(document: Document, id_as: str) -> Document:
    """Return a document with its `_id` under its name in the API."""
    return {id_as: document.pop("_id")} | document
