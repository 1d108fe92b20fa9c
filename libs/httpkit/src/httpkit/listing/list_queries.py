"""Queries of lists. Unknown names are rejected, because a misspelt filter would return everything."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from httpkit.listing.query_parameters import Cursor

DEFAULT_LIMIT: Final = 10
MAX_LIMIT: Final = 100
MAX_OFFSET: Final = 10_000


class PageQuery(BaseModel):
    """Page of a list, by limit and offset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Maximum number of entries on a page.")] = (
        DEFAULT_LIMIT
    )
    offset: Annotated[
        int,
        Field(ge=0, le=MAX_OFFSET, description="Number of entries to skip; for later pages use `cursor`."),
    ] = 0


class CursorQuery(PageQuery):
    """Page of a list that can be walked with cursors while it grows."""

    cursor: Cursor | None = None


class NoQuery(BaseModel):
    """Query without parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")


NO_QUERY: Final = TypeAdapter(NoQuery)
