"""A page of a list."""

from typing import Generic, TypeVar

from waybill.models.base import Model
from waybill.models.common import Pagination

ItemT = TypeVar("ItemT", bound=Model)


class Page(Model, Generic[ItemT]):
    """One page of a list."""

    data: tuple[ItemT, ...]
    pagination: Pagination


class Whole(Model, Generic[ItemT]):
    """A list that comes in one piece."""

    data: tuple[ItemT, ...]
