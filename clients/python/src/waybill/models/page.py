"""A page of a list."""

from typing import Any, Generic, TypeVar

from waybill.models.base import Model
from waybill.models.common import Pagination

ItemT = TypeVar("ItemT", bound=Model)


class Page(Model, Generic[ItemT]):
    """One page of a list."""

    data: tuple[ItemT, ...]
    pagination: Pagination

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to make it again: `Page[Shipment]` is in no module, where pickle could find it."""
        return _empty, type(self).__pydantic_generic_metadata__["args"], self.__getstate__()


class Whole(Model, Generic[ItemT]):
    """A list that comes in one piece."""

    data: tuple[ItemT, ...]


def _empty(item: type[Model]) -> Page[Any]:
    kind = Page[item]  # type: ignore[valid-type]
    return kind.__new__(kind)
