"""Fields of requests, as keyword arguments of the methods that take them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Required, TypedDict

from waybill.models import DeliveryWindow, Location

Window = DeliveryWindow | Mapping[str, datetime | str]
"""`earliest` and `latest`."""


class ShipmentFields(TypedDict, total=False):
    """Fields that a shipment may have: lengths in centimetres, weight in kilograms, places in WGS 84."""

    length_cm: float | None
    width_cm: float | None
    height_cm: float | None
    content_description: str | None
    reference: str | None
    estimated_delivery: Window | None


class NewShipment(ShipmentFields, total=False):
    """Fields of a new shipment."""

    origin_address: Required[str]
    origin_lat: Required[float]
    origin_lng: Required[float]
    destination_address: Required[str]
    destination_lat: Required[float]
    destination_lng: Required[float]
    weight_kg: Required[float]
    client_id: str | None


class ShipmentChanges(ShipmentFields, total=False):
    """Fields of a shipment to change; those that are left out, or None, stay."""

    origin_address: str | None
    origin_lat: float | None
    origin_lng: float | None
    destination_address: str | None
    destination_lat: float | None
    destination_lng: float | None
    weight_kg: float | None


class ShipmentFilters(TypedDict, total=False):
    """Filters of a list of shipments; `status` may be several, `tracking_number` the beginning of one."""

    status: str | Iterable[str] | None
    client_id: str | None
    tracking_number: str | None
    reference: str | None
    created_from: datetime | str | None
    created_to: datetime | str | None
    updated_from: datetime | str | None
    updated_to: datetime | str | None


class EventFields(TypedDict, total=False):
    """Fields of an event, beside its shipment, status and timestamp.

    Attributes:
        source: the scanner, driver or system that saw it.
        location: `lat`, `lng` and, optionally, `address`.
        checkpoint: such as `arrived_at_hub`, in place of a status: it changes none.
        signed_by: the person who took the parcel; with the status `delivered` only.
    """

    source: Required[str]
    location: Location | Mapping[str, object] | None
    notes: str | None
    checkpoint: str | None
    signed_by: str | None


class EventFilters(TypedDict, total=False):
    """Filters of a shipment's events; the outcome `conflict`: those sent again with another payload."""

    outcome: str | None
    status: str | None
    source: str | None
    from_: datetime | str | None
    to: datetime | str | None
