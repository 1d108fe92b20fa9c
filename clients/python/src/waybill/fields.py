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


class WebhookFields(TypedDict, total=False):
    """Fields of an endpoint of webhooks.

    Attributes:
        types: of messages, or a beginning and `*`; all by default.
        payload: `full`, or `thin`: the tracking number and the version alone.
        ordering: `none`, or `per_shipment`: a shipment's messages one after the other.
        rate_per_s: messages a second, at most.
    """

    types: Iterable[str] | None
    payload: str | None
    ordering: str | None
    rate_per_s: float | None
    description: str | None


class DeliveryFilters(TypedDict, total=False):
    """Filters of the deliveries of an endpoint; `from_` and `to` are about their creation."""

    state: str | None
    type: str | None
    tracking_number: str | None
    from_: datetime | str | None
    to: datetime | str | None


class DeadLetterFilters(TypedDict, total=False):
    """Filters of dead letters."""

    state: str | None
    reason: str | None
    tracking_number: str | None
    from_: datetime | str | None
    to: datetime | str | None


class ActionFilters(TypedDict, total=False):
    """Filters of operator actions."""

    action: str | None
    target: str | None
    by: str | None
    from_: datetime | str | None
    to: datetime | str | None
