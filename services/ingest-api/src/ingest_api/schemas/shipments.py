"""Bodies of shipments, flat or nested like the response of GET; POST takes a whole one, PATCH a part."""

from typing import Annotated, Any, Final, NotRequired, get_args, get_origin

from pydantic import (
    AfterValidator,
    AwareDatetime,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from typing_extensions import TypedDict, get_type_hints

from domain.timestamps import format_timestamp
from httpkit.openapi.identifiers import ClientId, Name
from httpkit.request.bodies import MAX_LISTED_FAULTS
from httpkit.request.instants import parse_instant
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
_typed_dict: Final[Any] = TypedDict  # called with fields that are known at run time only


def _delivery_instant(value: Any) -> str:  # noqa: ANN401  # whatever a client sends
    try:
        text = format_timestamp(parse_instant(value))
    except OverflowError as error:
        raise ValueError("is no instant of the calendar in UTC") from error
    if text < "1970":
        raise ValueError("must not be before 1970")
    return text


DeliveryInstant = Annotated[str, PlainValidator(_delivery_instant, json_schema_input_type=AwareDatetime)]


class DeliveryWindowIn(TypedDict):
    """Expected time of delivery: both instants, `earliest` not after `latest`."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's way of configuring a TypedDict
    earliest: DeliveryInstant
    latest: DeliveryInstant


def _ordered(window: DeliveryWindowIn) -> DeliveryWindowIn:
    # Texts of `format_timestamp` have one length and one zone: they sort by time.
    if window["earliest"] > window["latest"]:
        raise ValueError("must not end before it begins: earliest is after latest")
    return window


class CommonIn(TypedDict):
    """Fields that the flat and the nested form share."""

    client_id: NotRequired[ClientId | None]
    reference: NotRequired[Name | None]
    estimated_delivery: NotRequired[Annotated[DeliveryWindowIn, AfterValidator(_ordered)] | None]


class FlatShipmentIn(CommonIn):
    """A shipment to register, in the flat form; lengths in centimetres, all three or none."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
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


class ShipmentIn(CommonIn):
    """A shipment to register, in the nested form."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    origin: PlaceIn
    destination: PlaceIn
    package: PackageIn


def _changes_of(model: type, name: str, meaning: str, **merged: type) -> Any:  # noqa: ANN401  # a type that mypy cannot follow
    """Return a typed dict of changes to a model: each field may be left out, and null counts as left out.

    Args:
        model: the typed dict of the whole; its `client_id` cannot be changed.
        name: of the new typed dict.
        meaning: its docstring, which the OpenAPI document shows.
        merged: typed dicts of the changes to those members that are merged, not replaced.
    """
    types: dict[str, Any] = get_type_hints(model, include_extras=True) | merged
    types.pop("client_id", None)
    optional = {
        field: (get_args(kind)[0] if get_origin(kind) is NotRequired else kind) | None
        for field, kind in types.items()
    }
    changes: Any = _typed_dict(name, optional, total=False)
    changes.__doc__ = meaning
    changes.__pydantic_config__ = _CLOSED
    return changes


FlatShipmentChangesIn: Final = _changes_of(
    FlatShipmentIn,
    "FlatShipmentChangesIn",
    "Fields of a shipment to change, in the flat form; a latitude only with its longitude.",
)
PlaceChangesIn: Final = _changes_of(
    PlaceIn, "PlaceChangesIn", "Fields of an origin or destination to change."
)
DimensionChangesIn: Final = _changes_of(
    DimensionsIn, "DimensionChangesIn", "Dimensions to change, in centimetres."
)
PackageChangesIn: Final = _changes_of(
    PackageIn, "PackageChangesIn", "Fields of a package to change.", dimensions=DimensionChangesIn
)
ShipmentChangesIn: Final = _changes_of(
    ShipmentIn,
    "ShipmentChangesIn",
    "Fields of a shipment to change, in the nested form.",
    origin=PlaceChangesIn,
    destination=PlaceChangesIn,
    package=PackageChangesIn,
)


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
_Amendment: Any = Annotated[
    Annotated[FlatShipmentChangesIn, Tag(FLAT), Field(json_schema_extra={"minProperties": 1})]
    | Annotated[ShipmentChangesIn, Tag(NESTED), Field(json_schema_extra={"minProperties": 1})],
    Discriminator(form_of),
    WrapValidator(_read_changes),
]
AMENDMENT: Final[TypeAdapter[dict[str, Any]]] = TypeAdapter(_Amendment)
