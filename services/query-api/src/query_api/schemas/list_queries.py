"""Queries of lists. Unknown names are rejected, because a misspelt filter would return everything."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter

from domain.access.operator_actions import ActionKind
from domain.processing.batch import Outcome
from domain.processing.dead_letter import DeadLetterState
from domain.shipments.status import Status
from httpkit.listing.list_queries import CursorQuery, PageQuery
from httpkit.listing.query_parameters import FullNumber, Instant
from httpkit.openapi.identifiers import Name
from query_api.schemas.query_parameters import NumberPrefix, Reason, Statuses


class ShipmentQuery(CursorQuery):
    """Filters of shipments; each `…_from` is inclusive, each `…_to` exclusive."""

    status: Statuses = ()
    client_id: Annotated[Name | None, Field(description="Only the shipments of this client.")] = None
    tracking_number: NumberPrefix | None = None
    reference: Annotated[Name | None, Field(description="Only shipments with this reference.")] = None
    created_from: Instant | None = None
    created_to: Instant | None = None
    updated_from: Instant | None = None
    updated_to: Instant | None = None


class Ending(StrEnum):
    """Outcome of an event as a filter; `conflict`: several payloads were sent with its id."""

    APPLIED = Outcome.APPLIED.value
    REJECTED = Outcome.REJECTED.value
    DEAD = Outcome.DEAD.value
    CONFLICT = "conflict"


class EventQuery(CursorQuery):
    """Filters of a shipment's events; `from` is inclusive, `to` exclusive."""

    outcome: Annotated[Ending | None, Field(description="Only events with this outcome.")] = None
    status: Annotated[
        Status | None, Field(description="Only events that report this status, not checkpoints.")
    ] = None
    source: Annotated[Name | None, Field(description="Only events of this source.")] = None
    start: Annotated[Instant | None, Field(alias="from")] = None
    end: Annotated[Instant | None, Field(alias="to")] = None


class DeadLetterQuery(CursorQuery):
    """Filters of dead letters; `from` is inclusive, `to` exclusive."""

    state: Annotated[DeadLetterState | None, Field(description="Only dead letters in this state.")] = None
    reason: Annotated[Reason | None, Field(description="Only dead letters with this reason.")] = None
    tracking_number: Annotated[
        FullNumber | None, Field(description="Only dead letters of this shipment.")
    ] = None
    start: Annotated[Instant | None, Field(alias="from")] = None
    end: Annotated[Instant | None, Field(alias="to")] = None


class ActionQuery(CursorQuery):
    """Filters of operator actions; `from` is inclusive, `to` exclusive."""

    action: Annotated[ActionKind | None, Field(description="Only actions of this kind.")] = None
    target: Annotated[Name | None, Field(description="Only actions on this target.")] = None
    by: Annotated[Name | None, Field(description="Only actions by this user.")] = None
    start: Annotated[Instant | None, Field(alias="from")] = None
    end: Annotated[Instant | None, Field(alias="to")] = None


PAGE_QUERY: Final = TypeAdapter(PageQuery)
SHIPMENT_QUERY: Final = TypeAdapter(ShipmentQuery)
EVENT_QUERY: Final = TypeAdapter(EventQuery)
DEAD_LETTER_QUERY: Final = TypeAdapter(DeadLetterQuery)
ACTION_QUERY: Final = TypeAdapter(ActionQuery)


def page_body(data: Sequence[dict[str, Any]], total: int, query: PageQuery) -> dict[str, Any]:
    """Return the body of a page of a list without cursors."""
    return {
        "data": data,
        "pagination": {
            "total": total,
            "limit": query.limit,
            "offset": query.offset,
            "has_next": query.offset + len(data) < total,
        },
    }
