"""Pages of lists: what may be asked for, and how they are answered."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.status import Status

DEFAULT_LIMIT: Final = 10
MAX_LIMIT: Final = 100
MAX_OFFSET: Final = 1_000_000
MAX_ID_LENGTH: Final = 128


class PageQuery(BaseModel):
    """Which part of a list; unknown names are faults, for a filter that is misspelt would show everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    offset: Annotated[int, Field(ge=0, le=MAX_OFFSET)] = 0


class ShipmentQuery(PageQuery):
    """Which shipments."""

    status: Status | None = None
    client_id: Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)] | None = None


PAGE_QUERY: Final = TypeAdapter(PageQuery)
SHIPMENT_QUERY: Final = TypeAdapter(ShipmentQuery)


def page_body(data: Sequence[dict[str, Any]], total: int, query: PageQuery) -> dict[str, Any]:
    """Return the body that every list has."""
    return {
        "data": data,
        "pagination": {
            "total": total,
            "limit": query.limit,
            "offset": query.offset,
            "has_next": query.offset + len(data) < total,
        },
    }
