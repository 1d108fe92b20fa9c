"""Schemas of pages of lists, and examples of them."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

_CLOSED = ConfigDict(extra="forbid")


class Pagination(TypedDict):
    """Position of a page in its list."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's way of configuring a TypedDict
    total: Annotated[int, Field(ge=0)]
    limit: int
    offset: int
    has_next: bool


class CursorPagination(Pagination):
    """Position of a page in its list, with the cursor of the next page; null on the last one."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    next_cursor: str | None


def cursor_page_of(*items: object) -> dict[str, Any]:
    """Return an example of the last page of a list with cursors."""
    return page_of(*items, next_cursor=None)


def page_of(*items: object, **more: object) -> dict[str, Any]:
    """Return an example of a page."""
    pagination = {"total": len(items), "limit": 10, "offset": 0, "has_next": False}
    return {"data": list(items), "pagination": pagination | more}
