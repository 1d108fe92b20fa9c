"""List queries to MongoDB: a filter, an order that an index has, and the index itself.

A list names its index if it is known: MongoDB cannot then use a cached plan of another filter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pymongo

from domain.ports.queries import ActionFilter, DeadLetterFilter, EventFilter, Period, Position, ShipmentFilter
from storage.mongo.documents import WITHOUT_STATUS
from storage.mongo.schema import (
    BY_ACTION_TIME,
    BY_CLIENT,
    BY_CLIENT_AND_REFERENCE,
    BY_CREATION,
    BY_ID,
    BY_REFERENCE,
    BY_STATUS_AND_CLIENT,
)

Keys = Sequence[tuple[str, int]]

NEWEST_FIRST: Final = [("created_at", pymongo.DESCENDING), ("_id", pymongo.DESCENDING)]
BY_NUMBER: Final = [("_id", pymongo.ASCENDING)]
LAST_RECORDED_FIRST: Final = [("recorded_at", pymongo.DESCENDING), ("_id", pymongo.DESCENDING)]

FEW: Final = 3_000
"""Entries that are sorted for each page: their keys, which the index has, and behind a cursor the documents.
To find a page of so many among a million, newest first, takes as long."""

_AFTER_ALL: Final = "~"
"""Above every character of a tracking number and of an event id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """Query of one list.

    Attributes:
        query: the filter for all entries.
        order: sort order, which ends with `_id`.
        index: index to read with; None: MongoDB chooses.
        index_of_few: index to read with if at most `FEW` entries match; they are sorted then.
        counted_by: index to count with; None: MongoDB chooses.
    """

    query: Mapping[str, Any]
    order: Keys
    index: Keys | None = None
    index_of_few: Keys | None = None
    counted_by: Keys | None = None

    def index_for(self, total: int) -> Keys | None:
        """Return the index to read with when so many entries match."""
        return self.index_of_few if self.index_of_few is not None and total <= FEW else self.index

    def after(self, position: Position | None) -> dict[str, Any]:
        """Return the filter for entries after a position; its bounds are those of the index."""
        query = dict(self.query)
        if position is None:
            return query
        first = self.order[0][0]
        if first == "_id":
            query["_id"] = {**query.get("_id", {}), "$gt": position.id}
            return query
        # The range of the index ends at the instant; entries of the same instant are distinguished by id.
        query["$and"] = [
            {first: {"$lte": position.instant}},
            {"$or": [{first: {"$lt": position.instant}}, {"_id": {"$lt": position.id}}]},
        ]
        return query


def shipments(matching: ShipmentFilter) -> ListQuery:
    """Return the list of shipments for a filter.

    Statuses alone are read newest first until the page is full, or, where few shipments have them, from the
    index of the status, sorted. (Left to MongoDB, a plan made for a common status is kept for a rare one:
    measured, 500 ms instead of 1.) For a client, the entries of several statuses are merged in the order of
    the index.

    A prefix is compared with the keys of the client's index, newest first; where no client is named it is a
    range of `_id`, in the order of the numbers. (That range for one client would fetch every 32nd shipment
    there is to find the client's: measured, 0.6 s of a million.)

    A reference names few shipments, nearly always one: the other filters are applied to what its index finds.
    """
    query: dict[str, Any] = _spans(created_at=matching.created, updated_at=matching.updated)
    if matching.client_id is not None:
        query["client_id"] = {"$eq": matching.client_id}
    if matching.statuses:
        query["current_status"] = {"$in": [status.value for status in matching.statuses]}
    if matching.prefix is not None:
        query["_id"] = {"$gte": matching.prefix, "$lt": f"{matching.prefix}{_AFTER_ALL}"}
    if matching.reference is not None:
        query["reference"] = {"$eq": matching.reference}
        index = BY_REFERENCE if matching.client_id is None else BY_CLIENT_AND_REFERENCE
        return ListQuery(query=query, order=NEWEST_FIRST, index=index, counted_by=index)
    if matching.prefix is not None and matching.client_id is None:
        return ListQuery(query=query, order=BY_NUMBER, index=BY_ID, counted_by=BY_ID)
    if matching.client_id is None and matching.statuses:
        return ListQuery(
            query=query,
            order=NEWEST_FIRST,
            index=BY_CREATION,
            index_of_few=BY_STATUS_AND_CLIENT,
            counted_by=BY_STATUS_AND_CLIENT,
        )
    if matching.client_id is None:
        index = BY_CREATION
    else:
        index = BY_STATUS_AND_CLIENT if matching.statuses else BY_CLIENT
    return ListQuery(query=query, order=NEWEST_FIRST, index=index, counted_by=index)


def dead_letters(matching: DeadLetterFilter) -> ListQuery:
    """Return the list of dead letters for a filter."""
    wanted = {
        "state": matching.state,
        "reason": matching.reason,
        "tracking_number": matching.tracking_number,
    }
    query: dict[str, Any] = _spans(recorded_at=matching.recorded)
    query |= {name: {"$eq": str(value)} for name, value in wanted.items() if value is not None}
    return ListQuery(query=query, order=LAST_RECORDED_FIRST)


def operator_actions(matching: ActionFilter) -> ListQuery:
    """Return the list of operator actions for a filter."""
    wanted = {"action": matching.action, "target": matching.target, "by": matching.by}
    query: dict[str, Any] = _spans(at=matching.done)
    query |= {name: {"$eq": str(value)} for name, value in wanted.items() if value is not None}
    return ListQuery(query=query, order=BY_ACTION_TIME)


def trail_filter(matching: EventFilter) -> dict[str, Any]:
    """Return the conditions of a filter on an event, except tracking number and time."""
    query: dict[str, Any] = {}
    if matching.client_id is not None:
        query["client_id"] = {"$in": [matching.client_id, None]}
    if matching.outcome is not None:
        query["outcome"] = {"$eq": matching.outcome.value}
    if matching.status is not None:
        query["status"] = {"$eq": matching.status.value}
        query |= {name: {"$exists": False} for name in WITHOUT_STATUS}
    if matching.source is not None:
        query["source"] = {"$eq": matching.source}
    if matching.conflicting:
        query["$or"] = [{"conflicts": {"$gt": 0}}, {"other_payloads": {"$exists": True}}]
    return query


def _spans(**periods: Period) -> dict[str, Any]:
    spans: dict[str, Any] = {}
    for name, period in periods.items():
        bounds = {"$gte": period.start, "$lt": period.end}
        if known := {bound: instant for bound, instant in bounds.items() if instant is not None}:
            spans[name] = known
    return spans
