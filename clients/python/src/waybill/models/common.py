"""Values that several answers share."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from waybill.models.base import Model


class Status(StrEnum):
    """The status of a shipment."""

    CREATED = "created"
    PICKED_UP = "picked_up"
    IN_WAREHOUSE = "in_warehouse"
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


REPORTABLE: Final = tuple(each.value for each in Status if each is not Status.CREATED)
"""Statuses that an event may report."""


class Coordinates(Model):
    """Coordinates in WGS 84."""

    lat: float
    lng: float


class Location(Model):
    """Location of an event, in WGS 84."""

    lat: float
    lng: float
    address: str | None = None


class Place(Model):
    """Origin or destination of a shipment."""

    address: str
    coordinates: Coordinates


class DeliveryWindow(Model):
    """Expected time of delivery."""

    earliest: datetime
    latest: datetime


class Pagination(Model):
    """Position of a page in its list.

    Attributes:
        total: how many items match in all.
        next_cursor: cursor of the next page; None on the last one, and in lists without cursors.
    """

    total: int
    limit: int
    offset: int
    has_next: bool
    next_cursor: str | None = None


class Problem(Model):
    """One fault of a request."""

    pointer: str
    message: str
