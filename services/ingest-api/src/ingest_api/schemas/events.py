"""Bodies of events. Typed dicts: validated straight from the bytes, without an object per event."""

from datetime import datetime
from typing import Annotated, Any, Final, NotRequired

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    JsonValue,
    PlainValidator,
    TypeAdapter,
    WithJsonSchema,
)
from typing_extensions import TypedDict

from domain.errors import InvalidTrackingNumber
from domain.shipments.event_identity import API_SOURCE
from domain.shipments.status import REPORTABLE, Status
from domain.shipments.tracking_number import TrackingNumber, read_tracking_number
from httpkit.openapi.identifiers import DeadLetterIdText, Name, TrackingNumberIn
from httpkit.request.texts import LINE_PATTERN, TEXT_PATTERN, require_line, require_text
from ingest_api.schemas.event_times import read_instant

MAX_BATCH: Final = 1000
MAX_REPLAYS: Final = 100

_CLOSED = ConfigDict(extra="forbid", allow_inf_nan=False)
_REPORTABLE: Final = {"type": "string", "enum": list(REPORTABLE)}


def _tracking_number(text: str) -> TrackingNumber:
    try:
        return read_tracking_number(text)
    except InvalidTrackingNumber as error:
        raise ValueError(str(error)) from None


def _status(value: Any) -> Status:  # noqa: ANN401  # whatever a client sends
    for status in REPORTABLE:
        if status == value:
            return status
    raise ValueError(f"must be one of {', '.join(REPORTABLE)}")


def _source(text: str) -> str:
    if text == API_SOURCE:
        raise ValueError(f"{API_SOURCE!r} is reserved for changes made through the API")
    return text


_LINE: Final[dict[str, JsonValue]] = {"pattern": LINE_PATTERN}
_SOURCE: Final[dict[str, JsonValue]] = {**_LINE, "not": {"const": API_SOURCE}}
_TEXT: Final[dict[str, JsonValue]] = {"pattern": TEXT_PATTERN}

Line = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=300, json_schema_extra=_LINE),
    AfterValidator(require_line),
]
Text = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=1000, json_schema_extra=_TEXT),
    AfterValidator(require_text),
]
Instant = Annotated[datetime, PlainValidator(read_instant, json_schema_input_type=AwareDatetime)]
Source = Annotated[Name, Field(json_schema_extra=_SOURCE), AfterValidator(_source)]
Latitude = Annotated[float, Field(strict=True, ge=-90, le=90)]
Longitude = Annotated[float, Field(strict=True, ge=-180, le=180)]
Length = Annotated[float, Field(strict=True, gt=0, le=10_000)]
Weight = Annotated[float, Field(strict=True, gt=0, le=100_000)]


class LocationIn(TypedDict):
    """Location of an event, in WGS 84."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's way of configuring a TypedDict
    lat: Latitude
    lng: Longitude
    address: NotRequired[Line | None]


class EventIn(TypedDict):
    """One status event of a shipment."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    tracking_number: Annotated[TrackingNumberIn, Field(strict=True), AfterValidator(_tracking_number)]
    status: Annotated[Status, BeforeValidator(_status), WithJsonSchema(_REPORTABLE)]
    timestamp: Instant
    source: Source
    location: NotRequired[LocationIn | None]
    notes: NotRequired[Text | None]


class BatchIn(TypedDict):
    """A batch of up to 1,000 status events."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    events: Annotated[list[EventIn], Field(min_length=1, max_length=MAX_BATCH)]


class BatchShape(TypedDict):
    """`BatchIn` without validation of the events."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    events: Annotated[list[Any], Field(min_length=1, max_length=MAX_BATCH)]


class ReplayIn(TypedDict):
    """Dead letters to replay, in any order."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    ids: Annotated[list[DeadLetterIdText], Field(min_length=1, max_length=MAX_REPLAYS)]


EVENT: Final = TypeAdapter(EventIn)
EVENTS: Final = TypeAdapter(Annotated[list[EventIn], FailFast()])
"""Several events, validated only until the first fault."""
BATCH: Final = TypeAdapter(BatchIn)
BATCH_SHAPE: Final = TypeAdapter(BatchShape)
REPLAY: Final = TypeAdapter(ReplayIn)
