"""Shapes of the parts of records: those of `domain.shipments.commands` once more, for the wire codec.

pydantic reads no `typing.TypedDict` before Python 3.12, and the format of the log is a contract of its own.
msgspec reads the same shapes, as structs: see `closed_struct`.
"""

from typing import Annotated, Any, NotRequired, Union, get_args, get_origin

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct
from pydantic import Field, FiniteFloat
from typing_extensions import TypedDict, get_type_hints, is_typeddict

from domain.timestamps import UTC_OFFSET_PATTERN


def pattern(form: str) -> tuple[Any, ...]:
    """Return the constraint of a string that has a form from end to end, for pydantic and for msgspec."""
    return Field(pattern=f"^{form}$"), Meta(pattern=rf"^(?:{form})\Z")


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
UtcOffset = Annotated[str, *pattern(UTC_OFFSET_PATTERN)]


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


def closed_struct(shape: Any, *, tag_field: str | None = None) -> type[Struct]:  # noqa: ANN401  # a typed dict
    """Return the struct of a typed dict, which msgspec reads in a third of pydantic's time.

    Closed: unlike the typed dict it forbids other members, and it converts no type into another. So msgspec
    reads no record that pydantic would reject or read differently, and pydantic reads all others.

    Args:
        shape: the typed dict.
        tag_field: a member with one literal value, by which structs of a union are told apart.
    """
    hints = get_type_hints(shape, include_extras=True)
    tag = None if tag_field is None else get_args(hints.pop(tag_field))[0]
    return defstruct(
        shape.__name__,
        [
            (name, _closed(hint))
            if name in shape.__required_keys__
            else (name, Union[_closed(hint), UnsetType], UNSET)  # noqa: UP007  # made at run time
            for name, hint in hints.items()
        ],
        tag=tag,
        tag_field=tag_field,
        forbid_unknown_fields=True,
        kw_only=True,
        gc=False,
    )


def _closed(hint: Any) -> Any:  # noqa: ANN401  # a type
    if get_origin(hint) is NotRequired:
        [hint] = get_args(hint)
    return closed_struct(hint) if is_typeddict(hint) else hint
