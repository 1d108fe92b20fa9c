"""Failed transactions that MongoDB may hold open, because the message that ends them was lost."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bson.binary import UUID_SUBTYPE, Binary
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession


class FailedTransactions:
    """Remembers the sessions whose last transaction failed, and ends what they have left open.

    MongoDB keeps an open transaction, and the locks of its documents, for a minute. A write to one of these
    documents in another session conflicts with it for that long.
    """

    def __init__(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        self._client = client
        self._sessions: set[bytes] = set()
        self._ending = asyncio.Lock()

    @contextmanager
    def tracked(self, session: AsyncClientSession) -> Iterator[None]:
        """Remember the session if the body fails.

        While the body runs, the session is in use and must not be ended; its next transaction aborts this.
        """
        session_id = id_of(session)
        self._sessions.discard(session_id)
        try:
            yield
        except BaseException:
            self._sessions.add(session_id)
            raise

    async def end(self) -> None:
        """End all remembered sessions: a transaction that was not committed before this call never will be.

        Raises:
            PyMongoError: MongoDB does not answer; the next call tries again.
        """
        # One at a time: a transaction begun in one of these sessions meanwhile would be ended too.
        async with self._ending:
            if not self._sessions:
                return
            ending, self._sessions = self._sessions, set()
            try:
                await self._client.admin.command("killSessions", [{"id": _binary(each)} for each in ending])
            except BaseException:
                self._sessions |= ending
                raise


def id_of(session: AsyncClientSession) -> Binary:
    """Return the id of a session, as `killSessions` and a fence name it."""
    return _binary(session.session_id["id"])


def _binary(session_id: bytes) -> Binary:
    return Binary(session_id, UUID_SUBTYPE)
