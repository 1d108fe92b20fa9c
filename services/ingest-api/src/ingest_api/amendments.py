"""What PATCH may change: the members of a shipment's parts, each merged into what is there (RFC 7396).

Coordinates and dimensions are values, replaced as a whole; nothing can be removed, so null is refused.
"""

from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

from ingest_api.models import CoordinatesIn, DimensionsIn, Line, Text, Weight

_CLOSED: Final = ConfigDict(extra="forbid", allow_inf_nan=False)

Members = TypeVar("Members")


def _something(members: Members) -> Members:
    if not members:
        raise ValueError("must change something")
    return members


_NOT_EMPTY: Final[tuple[Any, ...]] = (
    AfterValidator(_something),
    Field(json_schema_extra={"minProperties": 1}),
)


class PlaceChangesIn(TypedDict, total=False):
    """Where a shipment comes from or goes to."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's way of configuring a TypedDict
    address: Line
    coordinates: CoordinatesIn


class PackageChangesIn(TypedDict, total=False):
    """What is shipped."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    weight_kg: Weight
    dimensions: DimensionsIn
    content_description: Text


class ShipmentChangesIn(TypedDict, total=False):
    """What is to be another in a shipment."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    origin: Annotated[PlaceChangesIn, *_NOT_EMPTY]
    destination: Annotated[PlaceChangesIn, *_NOT_EMPTY]
    package: Annotated[PackageChangesIn, *_NOT_EMPTY]


AMENDMENT: Final[TypeAdapter[ShipmentChangesIn]] = TypeAdapter(Annotated[ShipmentChangesIn, *_NOT_EMPTY])
