"""Lists: what may be asked for. Unknown names are faults, for a misspelt filter would show everything."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.access.operator_actions import ActionKind
from domain.processing.batch import Outcome
from domain.processing.dead_letter import DeadLetterState
from domain.shipments.status import Status
from httpkit.openapi.identifiers import Name
from query_api.schemas.query_parameters import (
    Cursor,
    FullNumber,
    Instant,
    NumberPrefix,
    Reason,
    Statuses,
)

DEFAULT_LIMIT: Final = 10
MAX_LIMIT: Final = 100
MAX_OFFSET: Final = 10_000


class PageQuery(BaseModel):
    """Which part of a list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Entries on a page.")] = DEFAULT_LIMIT
    offset: Annotated[
        int,
        Field(ge=0, le=MAX_OFFSET, description="How many entries to pass over; further on, use `cursor`."),
    ] = 0


class CursorQuery(PageQuery):
    """Which part of a list that may be walked through while it grows."""

    cursor: Cursor | None = None


class ShipmentQuery(CursorQuery):
    """Which shipments; each `…_from` is inside of what is asked for, each `…_to` is not."""

    status: Statuses = ()
    client_id: Annotated[Name | None, Field(description="Only the shipments of this client.")] = None
    tracking_number: NumberPrefix | None = None
    created_from: Instant | None = None
    created_to: Instant | None = None
    updated_from: Instant | None = None
    updated_to: Instant | None = None


class Ending(StrEnum):
    """How an event ended; `conflict`: several payloads were sent under its id."""

    APPLIED = Outcome.APPLIED.value
    REJECTED = Outcome.REJECTED.value
    DEAD = Outcome.DEAD.value
    CONFLICT = "conflict"


class EventQuery(CursorQuery):
    """Which events of a shipment; `from` is inside of what is asked for, `to` is not."""

    outcome: Annotated[Ending | None, Field(description="Only events that ended so.")] = None
    status: Annotated[Status | None, Field(description="Only events that report this status.")] = None
    source: Annotated[Name | None, Field(description="Only events of this source.")] = None
    start: Annotated[Instant | None, Field(alias="from")] = None
    end: Annotated[Instant | None, Field(alias="to")] = None


class DeadLetterQuery(CursorQuery):
    """Which dead letters; `from` is inside of what is asked for, `to` is not."""

    state: Annotated[DeadLetterState | None, Field(description="Only dead letters in this state.")] = None
    reason: Annotated[Reason | None, Field(description="Only dead letters with this reason.")] = None
    tracking_number: Annotated[
        FullNumber | None, Field(description="Only dead letters of this shipment.")
    ] = None
    start: Annotated[Instant | None, Field(alias="from")] = None
    end: Annotated[Instant | None, Field(alias="to")] = None


class ActionQuery(CursorQuery):
    """Which actions of operators; `from` is inside of what is asked for, `to` is not."""

    action: Annotated[ActionKind | None, Field(description="Only actions of this kind.")] = None
    target: Annotated[Name | None, Field(description="Only actions on this target.")] = None
    by: Annotated[Name | None, Field(description="Only actions by this user.")] = None
    start: Annotated[Instant | None, Field(alias="from")] = None
    end: Annotated[Instant | None, Field(alias="to")] = None


class NoQuery(BaseModel):
    """Nothing to choose."""

    model_config = ConfigDict(frozen=True, extra="forbid")


PAGE_QUERY: Final = TypeAdapter(PageQuery)
SHIPMENT_QUERY: Final = TypeAdapter(ShipmentQuery)
EVENT_QUERY: Final = TypeAdapter(EventQuery)
DEAD_LETTER_QUERY: Final = TypeAdapter(DeadLetterQuery)
ACTION_QUERY: Final = TypeAdapter(ActionQuery)
NO_QUERY: Final = TypeAdapter(NoQuery)


def page_body(data: Sequence[dict[str, Any]], total: int, query: PageQuery) -> dict[str, Any]:
    """Return the body of a list that has no cursor."""
    return {
        "data": data,
        "pagination": {
            "total": total,
            "limit": query.limit,
            "offset": query.offset,
            "has_next": query.offset + len(data) < total,
        },
    }
