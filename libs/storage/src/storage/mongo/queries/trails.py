"""Audit trail of a shipment: a range of `_id`, which sorts by time, and the creation, whose id does not."""

from collections.abc import Sequence
from typing import Any, Final

from domain.ports.core import Document
from domain.ports.queries import EventFilter, Page, Position, Window
from domain.shipments.event_identity import creation_event_id, id_at, trail_prefix
from domain.shipments.tracking_number import TrackingNumber
from storage.mongo.queries.lists import ListQuery, trail_filter
from storage.mongo.queries.paging import Collection, page_of, shown
from storage.mongo.queries.totals import Totals
from storage.mongo.schema import BY_ID

_AFTER_ALL: Final = "~"
_ORDER: Final = ("timestamp", "event_id")


class MongoTrails:
    """Reader of the events of one shipment, oldest first."""

    def __init__(self, events: Collection, fields: Sequence[str]) -> None:
        self._events = events
        self._fields = fields
        self._totals = Totals(events)

    async def page(self, matching: EventFilter, window: Window) -> Page:
        """Return a page of a trail; its total is counted within the range of the shipment."""
        creation = await self._creation(matching)
        query = trail_filter(matching) | {"_id": _span(matching)}
        counted = ListQuery(query=dict(query), order=BY_ID, counted_by=BY_ID)
        total = await self._totals.of(counted) + len(creation)
        # The creation is sorted in among the events that were read, so one event before the page is read too.
        before = min(window.offset, 1)
        if window.after is not None:
            query["_id"] = _span(matching, window.after)
            reached = place_in_trail(matching.tracking_number, window.after)
            creation = [each for each in creation if _place(each) > reached]
        cursor = self._events.find(query, self._fields, sort=BY_ID, hint=BY_ID)
        found = await cursor.skip(window.offset - before).limit(window.limit + 1 + before).to_list()
        trail = sorted([shown(event, "event_id") for event in found] + creation, key=_place)
        return page_of(trail[before : before + window.limit + 1], window, total=total, order=_ORDER)

    async def _creation(self, matching: EventFilter) -> list[Document]:
        query = trail_filter(matching) | {"_id": {"$eq": creation_event_id(matching.tracking_number)}}
        found = await self._events.find_one(query, self._fields)
        return [shown(found, "event_id")] if found and matching.period.holds(found["timestamp"]) else []


def _span(matching: EventFilter, after: Position | None = None) -> dict[str, Any]:
    number, period = matching.tracking_number, matching.period
    lower = trail_prefix(number) if period.start is None else id_at(number, period.start)
    upper = f"{trail_prefix(number)}{_AFTER_ALL}" if period.end is None else id_at(number, period.end)
    if after is not None:
        lower = max(lower, place_in_trail(number, after))
    return {"$gt": lower, "$lt": upper, "$ne": creation_event_id(number)}


def _place(event: Document) -> str:
    return place_in_trail(event["tracking_number"], Position(event["timestamp"], event["event_id"]))


def place_in_trail(number: TrackingNumber, position: Position) -> str:
    """Return a key that sorts by time: the id; for a creation, a key before all other ids of its instant."""
    if position.id == creation_event_id(number):
        return id_at(number, position.instant)
    return position.id
