"""What clients may send. Typed dicts: validated straight from the bytes, without an object per event."""

import time
from datetime import datetime
from typing import Annotated, Any, Final, NotRequired

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

from domain.errors import InvalidTrackingNumber
from domain.status import REPORTABLE, Status
from domain.tracking_number import TrackingNumber, parse_tracking_number

MAX_BATCH: Final = 1000
MAX_AHEAD_S: Final = 300
RESERVED_SOURCE: Final = "api"

_CLOSED = ConfigDict(extra="forbid", allow_inf_nan=False)


def _tracking_number(text: str) -> TrackingNumber:
    try:
        return parse_tracking_number(text)
    except InvalidTrackingNumber as error:
        raise ValueError(str(error)) from None


def _status(value: Any) -> Status:  # noqa: ANN401  # whatever a client sends
    for status in REPORTABLE:
        if status == value:
            return status
    raise ValueError(f"must be one of {', '.join(REPORTABLE)}")


def _plausible(timestamp: datetime) -> datetime:
    seconds = timestamp.timestamp()
    if seconds < 0:
        raise ValueError("must not be before 1970")
    if seconds > time.time() + MAX_AHEAD_S:
        raise ValueError(f"must not be more than {MAX_AHEAD_S // 60} minutes ahead")
    return timestamp


def _source(text: str) -> str:
    if text == RESERVED_SOURCE:
        raise ValueError(f"{RESERVED_SOURCE!r} is reserved for changes made through the API")
    return text


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain NUL")
    return text


Name = Annotated[str, Field(strict=True, min_length=1, max_length=128), AfterValidator(_without_nul)]
Line = Annotated[str, Field(strict=True, min_length=1, max_length=300), AfterValidator(_without_nul)]
Text = Annotated[str, Field(strict=True, min_length=1, max_length=1000), AfterValidator(_without_nul)]
Source = Annotated[Name, AfterValidator(_source)]
Latitude = Annotated[float, Field(strict=True, ge=-90, le=90)]
Longitude = Annotated[float, Field(strict=True, ge=-180, le=180)]
Length = Annotated[float, Field(strict=True, gt=0, le=10_000)]


class LocationIn(TypedDict):
    """Where an event was seen, WGS 84."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's way of configuring a TypedDict
    lat: Latitude
    lng: Longitude
    address: NotRequired[Line]


class EventIn(TypedDict):
    """One status event."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    tracking_number: Annotated[str, Field(strict=True), AfterValidator(_tracking_number)]
    status: Annotated[Status, BeforeValidator(_status)]
    timestamp: Annotated[AwareDatetime, Field(strict=True), AfterValidator(_plausible)]
    source: Source
    location: NotRequired[LocationIn]
    notes: NotRequired[Text]


class BatchIn(TypedDict):
    """Up to `MAX_BATCH` status events."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    events: Annotated[list[EventIn], Field(min_length=1, max_length=MAX_BATCH)]


class CoordinatesIn(TypedDict):
    """WGS 84."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    lat: Latitude
    lng: Longitude


class PlaceIn(TypedDict):
    """Where a shipment comes from or goes to."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    address: Line
    coordinates: CoordinatesIn


class DimensionsIn(TypedDict):
    """Centimetres."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    length: Length
    width: Length
    height: Length


class PackageIn(TypedDict):
    """What is shipped."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    weight_kg: Annotated[float, Field(strict=True, gt=0, le=100_000)]
    dimensions: NotRequired[DimensionsIn]
    content_description: NotRequired[Text]


class ShipmentIn(TypedDict):
    """A shipment to register."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    client_id: NotRequired[Name]
    origin: PlaceIn
    destination: PlaceIn
    package: PackageIn


EVENT: Final = TypeAdapter(EventIn)
BATCH: Final = TypeAdapter(BatchIn)
SHIPMENT: Final = TypeAdapter(ShipmentIn)
