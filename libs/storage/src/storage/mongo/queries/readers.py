"""Read side of the store: shipments, audit log and dead letters, in the shape of the API."""

from dataclasses import replace
from typing import Any, Final

from domain.errors import TooMuchToRead
from domain.ports.core import Document
from domain.ports.queries import (
    EVER,
    EVERYTHING,
    DeadLetterFilter,
    EventFilter,
    Page,
    Scope,
    ShipmentFilter,
    Window,
)
from domain.shipments.commands import DESCRIBED, OBSERVED
from domain.shipments.event_identity import EventId
from domain.shipments.tracking_number import TrackingNumber
from storage.mongo import documents
from storage.mongo.checkpoints import CHECKPOINT, COUNT, RING, with_checkpoints
from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.held_events import HELD_UNTIL
from storage.mongo.queries import lists
from storage.mongo.queries.joined_reads import JoinedReads
from storage.mongo.queries.paging import MongoList, shown
from storage.mongo.queries.scopes import inside
from storage.mongo.queries.trails import MongoTrails
from storage.mongo.schema import DEAD_LETTERS, SHIPMENTS, STATUS_EVENTS

MAX_LOOKED_AT: Final = 20_000

# Allow lists: any other field of a document is not shown until it is added here.
SHIPMENT_FIELDS: Final = (
    "client_id",
    *DESCRIBED,
    "current_status",
    "status_history",
    RING,
    COUNT,
    "version",
    "created_at",
    "updated_at",
)
EVENT_FIELDS: Final = (
    "tracking_number",
    "client_id",
    "status",
    CHECKPOINT,
    "timestamp",
    "utc_offset",
    "source",
    *OBSERVED,
    "changes",
    documents.RETRACTION,
    "outcome",
    "reason",
    *documents.EXPLANATION,
    HELD_UNTIL,
    "attempts",
    "duplicates",
    "conflicts",
    *(f"other_payloads.{name}" for name in documents.OTHER_PAYLOAD_FIELDS),
    "partition",
    "offset",
    "received_at",
    "recorded_at",
    "submitted_by",
)
DEAD_LETTER_FIELDS: Final = (
    "reason",
    "error",
    "attempts",
    "topic",
    "partition",
    "offset",
    "timestamp",
    "key",
    "event_id",
    "tracking_number",
    "recorded_at",
    "value_preview",
    "value_hex",
    "headers",
    "replay_of",
    "state",
    "replays",
    "last_replay",
    "discard",
)


class MongoShipmentReader:
    """`ShipmentReader` on MongoDB."""

    def __init__(self, database: Database) -> None:
        self._shipments = database[SHIPMENTS]
        self._single = JoinedReads(self._shipments, SHIPMENT_FIELDS)
        self._list = MongoList(self._shipments, SHIPMENT_FIELDS, id_as="tracking_number", time="created_at")

    async def get(self, tracking_number: TrackingNumber, scope: Scope = EVERYTHING) -> Document | None:
        """See `ShipmentReader.get`."""
        found = await self._single.get(tracking_number, scope)
        return None if found is None else with_checkpoints(shown(found, "tracking_number"))

    async def exists(self, tracking_number: TrackingNumber, scope: Scope = EVERYTHING) -> bool:
        """See `ShipmentReader.exists`."""
        with translated():
            return await self._shipments.find_one(_by_id(tracking_number, scope), ["_id"]) is not None

    async def exists_outside(self, tracking_number: TrackingNumber, scope: Scope) -> bool:
        """See `ShipmentReader.exists_outside`."""
        with translated():
            return await self._shipments.find_one(_beyond(tracking_number, scope), ["_id"]) is not None

    async def page(self, matching: ShipmentFilter, window: Window) -> Page:
        """See `ShipmentReader.page`.

        A filter on update times scans each shipment that the other filters leave: 20,000 take about 0.2 s,
        and 2 s if none of them is in memory (measured). An index on them would cost every event 50 µs.
        """
        with translated():
            if matching.updated != EVER:
                await self._require_few(replace(matching, updated=EVER))
            page = await self._list.page(lists.shipments(matching), window)
        return replace(page, data=[with_checkpoints(each) for each in page.data])

    async def _require_few(self, matching: ShipmentFilter) -> None:
        candidates = await self._list.totals.counted(lists.shipments(matching), most=MAX_LOOKED_AT + 1)
        if candidates > MAX_LOOKED_AT:
            raise TooMuchToRead(
                f"more than {MAX_LOOKED_AT} shipments would have to be looked at: "
                "narrow them down by client_id, status or created_from and created_to"
            )


class MongoEventReader:
    """`EventReader` on MongoDB."""

    def __init__(self, database: Database) -> None:
        self._events = database[STATUS_EVENTS]
        self._trails = MongoTrails(self._events, EVENT_FIELDS)

    async def get(self, event_id: EventId, scope: Scope = EVERYTHING) -> Document | None:
        """See `EventReader.get`."""
        with translated():
            found = await self._events.find_one(_by_id(event_id, scope), EVENT_FIELDS)
        return None if found is None else shown(found, "event_id")

    async def exists_outside(self, event_id: EventId, scope: Scope) -> bool:
        """See `EventReader.exists_outside`."""
        with translated():
            return await self._events.find_one(_beyond(event_id, scope), ["_id"]) is not None

    async def page(self, matching: EventFilter, window: Window) -> Page:
        """See `EventReader.page`."""
        with translated():
            return await self._trails.page(matching, window)


class MongoDeadLetterReader:
    """`DeadLetterReader` on MongoDB."""

    def __init__(self, database: Database) -> None:
        self._dead_letters = database[DEAD_LETTERS]
        self._list = MongoList(self._dead_letters, DEAD_LETTER_FIELDS, id_as="id", time="recorded_at")

    async def get(self, dead_letter_id: str) -> Document | None:
        """See `DeadLetterReader.get`."""
        with translated():
            found = await self._dead_letters.find_one({"_id": {"$eq": dead_letter_id}}, DEAD_LETTER_FIELDS)
        return None if found is None else shown(found, "id")

    async def page(self, matching: DeadLetterFilter, window: Window) -> Page:
        """See `DeadLetterReader.page`."""
        with translated():
            return await self._list.page(lists.dead_letters(matching), window)


def _by_id(wanted: str, scope: Scope) -> dict[str, Any]:
    return {"_id": {"$eq": wanted}, **inside(scope)}


def _beyond(wanted: str, scope: Scope) -> dict[str, Any]:
    return {"_id": {"$eq": wanted}, "$nor": [inside(scope)]}
