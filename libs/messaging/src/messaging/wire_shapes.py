"""Shapes of the parts of records: those of `domain.shipments.commands` once more, for the wire codec.

pydantic reads no `typing.TypedDict` before Python 3.12, and the format of the log is a contract of its own.
"""

from typing import Annotated, NotRequired

from pydantic import Field, FiniteFloat
from typing_extensions import TypedDict

from domain.timestamps import UTC_OFFSET_PATTERN


# The shapes of `domain.shipments.commands` once more: pydantic reads no `typing.TypedDict` before Python
# 3.12, and the format of the log is a contract of its own.
class Coordinates(TypedDict):
    """Coordinates, WGS 84."""

    lat: FiniteFloat
    lng: FiniteFloat


class Place(TypedDict):
    """Origin or destination of a shipment."""

    address: str
    coordinates: Coordinates


class Dimensions(TypedDict):
    """Outer size of a package, in centimetres."""

    length: FiniteFloat
    width: FiniteFloat
    height: FiniteFloat


class Package(TypedDict):
    """Contents of a shipment."""

    weight_kg: FiniteFloat
    dimensions: NotRequired[Dimensions]
    content_description: NotRequired[str]


class DeliveryWindow(TypedDict):
    """Expected time of delivery."""

    earliest: str
    latest: str


class Location(TypedDict):
    """Location of an event, WGS 84."""

    lat: FiniteFloat
    lng: FiniteFloat
    address: NotRequired[str]


class Description(TypedDict):
    """Fields of a shipment."""

    origin: Place
    destination: Place
    package: Package
    reference: NotRequired[str]
    estimated_delivery: NotRequired[DeliveryWindow]


# Of the local time that `time` was sent in; not part of the fingerprint.
UtcOffset = Annotated[str, Field(pattern=f"^{UTC_OFFSET_PATTERN}$")]


class PublishedObservation(TypedDict, total=False):
    """Fields of an event that its producer reports, and that the change feed has."""

    location: Location
    notes: str


class Observation(PublishedObservation, total=False):
    """Fields of an event that its producer reports."""

    signed_by: str


class _PlaceChanges(TypedDict, total=False):
    address: str
    coordinates: Coordinates


class _DimensionChanges(TypedDict, total=False):
    length: FiniteFloat
    width: FiniteFloat
    height: FiniteFloat


class _PackageChanges(TypedDict, total=False):
    weight_kg: FiniteFloat
    dimensions: _DimensionChanges
    content_description: str


class Changes(TypedDict, total=False):
    """Changed fields of a shipment."""

    origin: _PlaceChanges
    destination: _PlaceChanges
    package: _PackageChanges
    reference: str
    estimated_delivery: DeliveryWindow
