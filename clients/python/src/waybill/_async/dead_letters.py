"""Records that could not be applied; for admins."""

from collections.abc import Iterable
from typing import Unpack

from waybill._async.connection import AsyncConnection
from waybill._async.listing import AsyncListing
from waybill.fields import DeadLetterFilters
from waybill.models import DeadLetter, Replayed, ReplayedBatch
from waybill.operations import (
    DISCARD_DEAD_LETTER,
    GET_DEAD_LETTER,
    LIST_DEAD_LETTERS,
    REPLAY_DEAD_LETTER,
    REPLAY_DEAD_LETTERS,
)
from waybill.transport import PAGE_SIZE, Call
from waybill.values import query_of


class AsyncDeadLetters:
    """Records that could not be applied; for admins."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def list(
        self, *, limit: int = PAGE_SIZE, **filters: Unpack[DeadLetterFilters]
    ) -> AsyncListing[DeadLetter]:
        """List dead letters, newest first."""
        call = Call(operation=LIST_DEAD_LETTERS, query=query_of(**filters, limit=limit))
        return AsyncListing(self._connection, call, DeadLetter)

    async def get(self, dead_letter_id: str) -> DeadLetter:
        """Return a dead letter.

        Raises:
            NotFound: there is no such dead letter.
        """
        steps = {"dead_letter_id": dead_letter_id}
        reply = await self._connection.call(Call(operation=GET_DEAD_LETTER, steps=steps))
        return reply.as_model(DeadLetter)

    async def replay(self, dead_letter_id: str) -> Replayed:
        """Put a record back into the log, to be processed again; repeating it is harmless.

        Raises:
            NotFound: there is no such dead letter.
        """
        steps = {"dead_letter_id": dead_letter_id}
        reply = await self._connection.call(Call(operation=REPLAY_DEAD_LETTER, steps=steps))
        return reply.as_model(Replayed)

    async def replay_all(self, dead_letter_ids: Iterable[str]) -> ReplayedBatch:
        """Put up to 100 records back into the log; those of one shipment keep their order.

        Raises:
            BadRequest: there are none, or too many.
            ServerError: none was put back.
        """
        call = Call(operation=REPLAY_DEAD_LETTERS, body={"ids": list(dead_letter_ids)})
        reply = await self._connection.call(call)
        return reply.as_model(ReplayedBatch)

    async def discard(self, dead_letter_id: str, reason: str) -> DeadLetter:
        """Mark a dead letter as one that nobody needs; it can still be replayed.

        Raises:
            BadRequest: the reason is invalid.
            NotFound: there is no such dead letter.
            Conflict: it is discarded already, by somebody else or with another reason.
        """
        steps = {"dead_letter_id": dead_letter_id}
        call = Call(operation=DISCARD_DEAD_LETTER, steps=steps, body={"reason": reason})
        reply = await self._connection.call(call)
        return reply.as_model(DeadLetter)
