"""Reads by id that arrive together are one query: a query costs the driver far more than a document does.

Those that arrive while a query is under way are the next one: a reader waits for one query before its own,
for `LONGEST_WAIT_S` at most, and never for others to come. It is never given what was read before it came.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Final

from domain.ports.core import Document
from domain.ports.queries import Scope
from servicekit.background_tasks import copy_of
from storage.mongo.errors import translated
from storage.mongo.queries.paging import Collection
from storage.mongo.queries.scopes import inside
from storage.mongo.schema import BY_ID

MOST_JOINED: Final = 100
"""Readers of one query: together their documents are far smaller than a batch of MongoDB may be."""

LONGEST_WAIT_S: Final = 0.01
"""Time after which the next query begins beside a slow one."""

_Reader = tuple[str, asyncio.Future[Document | None]]


class JoinedReads:
    """Reads of single documents, each within the scope of its caller: those of one scope are joined."""

    def __init__(self, collection: Collection, fields: Sequence[str]) -> None:
        self._collection = collection
        self._fields = fields
        self._waiting: dict[Scope, list[_Reader]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def get(self, wanted: str, scope: Scope) -> Document | None:
        """Return a document, None if it is not in the scope.

        Raises:
            StoreUnavailable: MongoDB refused or did not answer.
        """
        found: asyncio.Future[Document | None] = asyncio.get_running_loop().create_future()
        if scope in self._waiting:
            self._waiting[scope].append((wanted, found))
        else:
            self._waiting[scope] = [(wanted, found)]
            self._start(self._serve(scope))
        return await found

    async def _serve(self, scope: Scope) -> None:
        """Read for a scope until nobody waits, one query after the other."""
        try:
            while waiting := self._waiting[scope]:
                self._waiting[scope] = waiting[MOST_JOINED:]
                query = self._start(self._read(scope, waiting[:MOST_JOINED]))
                await asyncio.wait({query}, timeout=LONGEST_WAIT_S)
        finally:
            for _, found in self._waiting.pop(scope):
                found.cancel()

    async def _read(self, scope: Scope, readers: Sequence[_Reader]) -> None:
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

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name="joined-reads")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _find(self, wanted: set[str], scope: Scope) -> dict[str, Document]:
        ids = {"$in": sorted(wanted)} if len(wanted) > 1 else {"$eq": next(iter(wanted))}
        with translated():
            cursor = self._collection.find({"_id": ids, **inside(scope)}, self._fields, hint=BY_ID)
            return {document["_id"]: document for document in await cursor.to_list()}
