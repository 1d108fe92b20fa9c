"""Bodies of shipments, flat or nested like the response of GET; POST takes a whole one, PATCH a part."""

from typing import Annotated, Any, Final, NotRequired

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from typing_extensions import TypedDict

from httpkit.openapi.identifiers import ClientId
from httpkit.request.bodies import MAX_LISTED_FAULTS
from ingest_api.schemas.events import Latitude, Length, Line, Longitude, Text, Weight
from ingest_api.schemas.shipment_forms import (
    FLAT,
    NESTED,
    faults_of,
    form_error,
    form_of,
    mixture_of,
    of_one_form,
    untagged,
)

_CLOSED: Final = ConfigDict(extra="forbid", allow_inf_nan=False)


class FlatShipmentIn(TypedDict):
    """A shipment to register, in the flat form; lengths in centimetres, all three or none."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's way of configuring a TypedDict
    client_id: NotRequired[ClientId | None]
    origin_address: Line
    origin_lat: Latitude
    origin_lng: Longitude
    destination_address: Line
    destination_lat: Latitude
    destination_lng: Longitude
    weight_kg: Weight
    length_cm: NotRequired[Length | None]
    width_cm: NotRequired[Length | None]
    height_cm: NotRequired[Length | None]
    content_description: NotRequired[Text | None]


class CoordinatesIn(TypedDict):
    """Coordinates in WGS 84."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    lat: Latitude
    lng: Longitude


class PlaceIn(TypedDict):
    """Origin or destination of a shipment."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    address: Line
    coordinates: CoordinatesIn


class DimensionsIn(TypedDict):
    """Dimensions of a package, in centimetres."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    length: Length
    width: Length
    height: Length


class PackageIn(TypedDict):
    """Contents, weight and dimensions of a shipment."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    weight_kg: Weight
    dimensions: NotRequired[DimensionsIn | None]
    content_description: NotRequired[Text | None]


class ShipmentIn(TypedDict):
    """A shipment to register, in the nested form."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    client_id: NotRequired[ClientId | None]
    origin: PlaceIn
    destination: PlaceIn
    package: PackageIn


class FlatShipmentChangesIn(TypedDict, total=False):
    """Fields of a shipment to change, in the flat form; a latitude only with its longitude."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    origin_address: Line | None
    origin_lat: Latitude | None
    origin_lng: Longitude | None
    destination_address: Line | None
    destination_lat: Latitude | None
    destination_lng: Longitude | None
    weight_kg: Weight | None
    length_cm: Length | None
    width_cm: Length | None
    height_cm: Length | None
    content_description: Text | None


class PlaceChangesIn(TypedDict, total=False):
    """Fields of an origin or destination to change."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    address: Line | None
    coordinates: CoordinatesIn | None


class DimensionChangesIn(TypedDict, total=False):
    """Dimensions to change, in centimetres."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    length: Length | None
    width: Length | None
    height: Length | None


class PackageChangesIn(TypedDict, total=False):
    """Fields of a package to change."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    weight_kg: Weight | None
    dimensions: DimensionChangesIn | None
    content_description: Text | None


class ShipmentChangesIn(TypedDict, total=False):
    """Fields of a shipment to change, in the nested form."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    origin: PlaceChangesIn | None
    destination: PlaceChangesIn | None
    package: PackageChangesIn | None


def _read_shipment(body: Any, read: ValidatorFunctionWrapHandler) -> Any:  # noqa: ANN401  # whatever a client sends
    return _read(body, read, amends=False)


def _read_changes(body: Any, read: ValidatorFunctionWrapHandler) -> Any:  # noqa: ANN401  # as above
    return _read(body, read, amends=True)


def _read(body: Any, read: ValidatorFunctionWrapHandler, *, amends: bool) -> Any:  # noqa: ANN401  # as above
    """Validate a body in its form, and add the faults that concern several fields."""
    body = of_one_form(body)
    if mixed := mixture_of(body):
        raise form_error(mixed)
    faults = faults_of(body, amends=amends)
    try:
        valid = read(body)
    except ValidationError as error:
        if error.error_count() > MAX_LISTED_FAULTS:
            raise  # they are counted, not listed
        raise form_error([*untagged(error), *faults]) from None
    if faults:
        raise form_error(faults)
    return valid


SHIPMENT: Final[TypeAdapter[FlatShipmentIn | ShipmentIn]] = TypeAdapter(
    Annotated[
        Annotated[FlatShipmentIn, Tag(FLAT)] | Annotated[ShipmentIn, Tag(NESTED)],
        Discriminator(form_of),
        WrapValidator(_read_shipment),
    ]
)
AMENDMENT: Final[TypeAdapter[FlatShipmentChangesIn | ShipmentChangesIn]] = TypeAdapter(
    Annotated[
        Annotated[FlatShipmentChangesIn, Tag(FLAT), Field(json_schema_extra={"minProperties": 1})]
        | Annotated[ShipmentChangesIn, Tag(NESTED), Field(json_schema_extra={"minProperties": 1})],
        Discriminator(form_of),
        WrapValidator(_read_changes),
    ]
)
