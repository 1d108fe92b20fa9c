"""Reads by id that arrive together are one query: a query costs the driver far more than a document does.

Requests that the event loop receives in one turn are read together; none waits for others to come.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from domain.ports.core import Document
from domain.ports.queries import Scope
from servicekit.background_tasks import copy_of
from storage.mongo.errors import translated
from storage.mongo.queries.paging import Collection
from storage.mongo.queries.scopes import inside
from storage.mongo.schema import BY_ID

MOST_JOINED: Final = 100
"""Readers of one query: together their documents are far smaller than a batch of MongoDB may be."""

_Reader = tuple[str, asyncio.Future[Document | None]]


class JoinedReads:
    """Reads of single documents, each within the scope of its caller: those of one scope are joined."""

    def __init__(self, collection: Collection, fields: Sequence[str]) -> None:
        self._collection = collection
        self._fields = fields
        self._next: dict[Scope, list[_Reader]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def get(self, wanted: str, scope: Scope) -> Document | None:
        """Return a document, None if it is not in the scope.

        Raises:
            StoreUnavailable: MongoDB refused or did not answer.
        """
        loop = asyncio.get_running_loop()
        readers = self._next.get(scope)
        if readers is None or len(readers) == MOST_JOINED:
            readers = self._next[scope] = []
            task = loop.create_task(self._read(scope, readers), name="joined-reads")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        found: asyncio.Future[Document | None] = loop.create_future()
        readers.append((wanted, found))
        return await found

    async def _read(self, scope: Scope, readers: list[_Reader]) -> None:
        if self._next.get(scope) is readers:
            del self._next[scope]
        try:
            documents = await self._find({wanted for wanted, _ in readers}, scope)
        except BaseException as error:
            for _, found in readers:
                if not found.done():  # cancelled
                    found.set_exception(copy_of(error))
            if not isinstance(error, Exception):
                raise
            return
        for wanted, found in readers:
            if not found.done():
                document = documents.get(wanted)
                found.set_result(None if document is None else dict(document))

    async def _find(self, wanted: set[str], scope: Scope) -> dict[str, Document]:
        ids = {"$in": sorted(wanted)} if len(wanted) > 1 else {"$eq": next(iter(wanted))}
        with translated():
            cursor = self._collection.find({"_id": ids, **inside(scope)}, self._fields, hint=BY_ID)
            return {document["_id"]: document for document in await cursor.to_list()}
