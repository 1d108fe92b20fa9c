"""Halts of partitions, and attempts at records in flight (ADR 0009).

The owner's state is in the fence and is written under its epoch. Operators' requests are in a collection that
the processor only reads.
"""

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.read_concern import ReadConcern

from domain.errors import Fenced
from domain.ports.core import Fence
from domain.processing.halts import (
    Attempt,
    Halt,
    PartitionCheckpoint,
    PartitionView,
    Resumption,
    Start,
    accepted,
    resumed,
)
from storage.mongo.database import Database, transacted
from storage.mongo.errors import translated
from storage.mongo.operations.operator_actions import MongoActionLog
from storage.mongo.schema import PARTITION_FENCES, PARTITION_RESUMPTIONS

Document = dict[str, Any]

ENDED: Final = "ended"
"""Field of a fence: its partition is applied up to its end marker."""


class MongoPartitionStateStore:
    """`PartitionStateStore` on MongoDB."""

    def __init__(self, database: Database) -> None:
        self._fences = database[PARTITION_FENCES]
        self._resumptions = database[PARTITION_RESUMPTIONS]

    async def note_halt(self, fence: Fence, halt: Halt | None) -> None:
        """See `PartitionStateStore.note_halt`."""
        stored = None
        if halt is not None:
            stored = {
                "problem": halt.problem,
                "since": halt.since,
                "is_gap": halt.is_gap,
                "skip_to": halt.skip_to,
            }
        await update_as_owner(self._fences, fence, {"halt": stored})

    async def give_up(self, fence: Fence, below: int) -> Fence:
        """See `PartitionStateStore.give_up`."""
        next_offset = accepted(fence.checkpoint.halt, fence.next_offset, below)
        await update_as_owner(self._fences, fence, {"next_offset": next_offset})
        return replace(fence, next_offset=next_offset)

    async def note_attempt(self, fence: Fence, attempt: Attempt | None) -> None:
        """See `PartitionStateStore.note_attempt`."""
        stored = None if attempt is None else {"offset": attempt.offset, "count": attempt.count}
        await update_as_owner(self._fences, fence, {"attempt": stored})

    async def note_end(self, fence: Fence) -> None:
        """See `PartitionStateStore.note_end`."""
        await update_as_owner(self._fences, fence, {ENDED: True})

    async def ended(self, partitions: Collection[str]) -> set[str]:
        """See `PartitionStateStore.ended`."""
        # From the primary: an end that a fail-over takes back was never read.
        fences = self._fences.with_options(read_concern=ReadConcern("majority"))
        with translated():
            found = await fences.find({"_id": {"$in": list(partitions)}, ENDED: True}, {"_id": 1}).to_list()
        return {fence["_id"] for fence in found}

    async def resumption(self, partition: str, halt: Halt) -> Resumption | None:
        """See `PartitionStateStore.resumption`."""
        with translated():
            found = await self._resumptions.find_one({"_id": partition, "halted_since": halt.since})
        return _resumption_of(found)


class MongoPartitionControl:
    """`PartitionControl` on MongoDB, for the log that begins with a topic, and its later generations."""

    def __init__(self, database: Database, topic: str) -> None:
        self._database = database
        self._actions = MongoActionLog(database)
        self._fences = database[PARTITION_FENCES]
        self._resumptions = database[PARTITION_RESUMPTIONS]
        self._topic = topic

    async def partitions(self) -> list[PartitionView]:
        """See `PartitionControl.partitions`."""
        ids = {"$regex": f"^{re.escape(self._topic)}(-[0-9]+)?/"}
        with translated():
            fences = await self._fences.find({"_id": ids}).to_list()
            requests = {each["_id"]: each async for each in self._resumptions.find({"_id": ids})}
        views = [_view_of(fence, requests.get(fence["_id"])) for fence in fences]
        return sorted(views, key=lambda view: (len(view.topic), view.topic, view.number))

    async def partition(self, number: int) -> PartitionView | None:
        """See `PartitionControl.partition`."""
        views = [each for each in await self.partitions() if each.number == number and not each.has_ended]
        halted = (view for view in views if view.halt is not None)
        return next(halted, views[-1] if views else None)

    async def resume(self, partition: str, resumption: Resumption) -> None:
        """See `PartitionControl.resume`."""
        fields = {
            "halted_since": resumption.halted_since,
            "from": resumption.start.value,
            "reason": resumption.reason,
            "requested_by": resumption.requested_by,
            "requested_at": resumption.requested_at,
        }

        async def both(session: AsyncClientSession) -> None:
            await self._resumptions.replace_one({"_id": partition}, fields, upsert=True, session=session)
            await self._actions.note(resumed(partition, resumption), session=session)

        await transacted(self._database, both)


async def update_as_owner(fences: AsyncCollection[Document], fence: Fence, fields: Document) -> None:
    """Set fields of a fence, provided that its epoch is still the owner's.

    Raises:
        Fenced: another owner has the partition.
    """
    with translated():
        held = await fences.update_one({"_id": fence.partition, "epoch": fence.epoch}, {"$set": fields})
    if held.matched_count == 0:
        raise Fenced(f"{fence.partition} has another owner than epoch {fence.epoch}")


def checkpoint_of(fence: Document, end_offset: int) -> PartitionCheckpoint:
    """Return the checkpoint that the last owner left in a fence."""
    return PartitionCheckpoint(
        halt=_halt_of(fence),
        stalled_opens=fence["stalled_opens"],
        attempt=_attempt_of(fence),
        next_offset=fence["next_offset"],
        end_offset=end_offset,
        has_ended=fence.get(ENDED, False),
    )


def _view_of(fence: Document, request: Document | None) -> PartitionView:
    halt = _halt_of(fence)
    resumption = _resumption_of(request)
    topic, _, number = fence["_id"].rpartition("/")
    return PartitionView(
        topic=topic,
        number=int(number),
        owner=fence["owner"],
        epoch=fence["epoch"],
        next_offset=fence["next_offset"],
        halt=halt,
        resumption=resumption if halt and resumption and resumption.halted_since == halt.since else None,
        has_ended=fence.get(ENDED, False),
    )


def _halt_of(fence: Document) -> Halt | None:
    stored = fence.get("halt")
    if stored is None:
        return None
    return Halt(stored["problem"], stored["since"], stored["is_gap"], stored.get("skip_to"))


def _attempt_of(fence: Document) -> Attempt | None:
    stored = fence.get("attempt")
    return None if stored is None else Attempt(stored["offset"], stored["count"])


def _resumption_of(request: Document | None) -> Resumption | None:
    if request is None:
        return None
    return Resumption(
        halted_since=request["halted_since"],
        start=Start(request["from"]),
        reason=request["reason"],
        requested_by=request["requested_by"],
        requested_at=request["requested_at"],
    )
