"""Bodies of events, and the commands that they are.

Typed dicts: validated straight from the bytes, without an object per event.
"""

import time
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
    ValidationInfo,
    WithJsonSchema,
)
from typing_extensions import TypedDict

from domain.access.permissions import Principal, may_report_as
from domain.errors import InvalidTrackingNumber
from domain.shipments.checkpoint import LABELS, PATTERN
from domain.shipments.commands import ReportCheckpoint, ReportStatus
from domain.shipments.event_identity import API_SOURCE, event_id
from domain.shipments.status import REPORTABLE, Status
from domain.shipments.tracking_number import TrackingNumber, read_tracking_number
from domain.timestamps import to_milliseconds, utc_offset_of
from httpkit.openapi.identifiers import DeadLetterIdText, Name, TrackingNumberIn
from httpkit.request.instants import parse_instant
from httpkit.request.text_forms import text_pattern
from httpkit.request.texts import LINE_PATTERN, TEXT_PATTERN, require_line, require_text
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError, Detail

MAX_BATCH: Final = 1000
MAX_REPLAYS: Final = 100
MAX_AHEAD_S: Final = 300
SOURCE_NOT_ALLOWED: Final = "your account may not report events of this source"

_CLOSED = ConfigDict(extra="forbid", allow_inf_nan=False)
_REPORTABLE: Final[dict[str, Any]] = {
    "anyOf": [{"type": "string", "enum": list(REPORTABLE)}, {"type": "null"}]
}
_GIVEN: Final = [
    {"type": "object", "required": [name], "properties": {name: {"type": "string"}}}
    for name in ("status", "checkpoint")
]
_SIGNED_DELIVERY: Final[dict[str, Any]] = {
    "anyOf": [
        {"type": "object", "properties": {"signed_by": {"type": "null"}}},
        {
            "type": "object",
            "required": ["status"],
            "properties": {"status": {"type": "string", "const": Status.DELIVERED.value}},
        },
    ]
}
_RULES: Final[dict[str, Any]] = {"allOf": [{"anyOf": _GIVEN}, {"not": {"allOf": _GIVEN}}, _SIGNED_DELIVERY]}
"""What `_status` and `_of_a_delivery` require, for the OpenAPI document."""
_CHECKPOINT: Final = (
    "Code of a checkpoint, instead of a status, while the shipment is under way: one of "
    f"{', '.join(LABELS)}, or one of your own."
)


def _tracking_number(text: str) -> TrackingNumber:
    try:
        return read_tracking_number(text)
    except InvalidTrackingNumber as error:
        raise ValueError(str(error)) from None


def _status(value: Any, event: ValidationInfo) -> Status | None:  # noqa: ANN401  # whatever a client sends
    """Return the status; None in an event with a checkpoint. An invalid checkpoint is a fault of its own."""
    if value is None:
        if event.data.get("checkpoint", "") is None:
            raise ValueError("is required, unless there is a checkpoint")
        return None
    if event.data.get("checkpoint") is not None:
        raise ValueError("is not taken beside a checkpoint: send one of the two")
    for status in REPORTABLE:
        if status == value:
            return status
    raise ValueError(f"must be one of {', '.join(REPORTABLE)}")


def read_instant(value: Any) -> datetime:  # noqa: ANN401  # whatever a client sends
    """Parse the timestamp of an event and check that it is plausible.

    Raises:
        ValueError: it is invalid, before 1970, or more than `MAX_AHEAD_S` seconds ahead.
    """
    instant = parse_instant(value)
    seconds = instant.timestamp()
    if seconds < 0:
        raise ValueError("must not be before 1970")
    if seconds > time.time() + MAX_AHEAD_S:
        raise ValueError(f"must not be more than {MAX_AHEAD_S // 60} minutes ahead")
    return instant


def _source(text: str) -> str:
    if text == API_SOURCE:
        raise ValueError(f"{API_SOURCE!r} is reserved for changes made through the API")
    return text


_SIGNED_BY: Final = "Who signed for the parcel; with the status `delivered` only."
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
_WORDS: Final[dict[str, JsonValue]] = {**_TEXT, "allOf": [{"type": "string", "pattern": r"\S"}]}


def _not_blank(text: str) -> str:
    if text.isspace():
        raise ValueError("must say something")
    return text


Checkpoint = Annotated[
    str,
    Field(strict=True, description=_CHECKPOINT),
    *text_pattern(f"^{PATTERN}$", "must be a lower-case letter and up to 63 more, digits or _"),
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


def _of_a_delivery(name: str, event: ValidationInfo) -> str:
    """Return who signed, if the event is a delivery; an invalid status is a fault of its own."""
    if event.data.get("status", Status.DELIVERED) is not Status.DELIVERED:
        raise ValueError(f"is taken with the status {Status.DELIVERED} only")
    return name


class EventIn(TypedDict):
    """One event of a shipment: it reached a status, or passed a checkpoint."""

    __pydantic_config__ = ConfigDict(**_CLOSED, json_schema_extra=_RULES)  # type: ignore[misc]
    tracking_number: Annotated[TrackingNumberIn, Field(strict=True), AfterValidator(_tracking_number)]
    checkpoint: Annotated[NotRequired[Checkpoint | None], Field(default=None)]
    # After the checkpoint, and validated where it is missing: `_status` sees to it that there is one of them.
    status: Annotated[
        NotRequired[Annotated[Status | None, BeforeValidator(_status), WithJsonSchema(_REPORTABLE)]],
        Field(default=None, validate_default=True),
    ]
    timestamp: Instant
    source: Source
    location: NotRequired[LocationIn | None]
    notes: NotRequired[Text | None]
    signed_by: NotRequired[
        Annotated[Line, AfterValidator(_of_a_delivery), Field(description=_SIGNED_BY)] | None
    ]


class BatchIn(TypedDict):
    """A batch of up to 1,000 events."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    events: Annotated[list[EventIn], Field(min_length=1, max_length=MAX_BATCH)]


class BatchShape(TypedDict):
    """`BatchIn` without validation of the events."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    events: Annotated[list[Any], Field(min_length=1, max_length=MAX_BATCH)]


class RetractionIn(TypedDict):
    """A retraction: why the event was wrong."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    reason: Annotated[Text, AfterValidator(_not_blank), Field(json_schema_extra=_WORDS)]


class ReplayIn(TypedDict):
    """Dead letters to replay, in any order."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    ids: Annotated[list[DeadLetterIdText], Field(min_length=1, max_length=MAX_REPLAYS)]


Reported = ReportStatus | ReportCheckpoint

EVENT: Final = TypeAdapter(EventIn)
EVENTS: Final = TypeAdapter(Annotated[list[EventIn], FailFast()])
"""Several events, validated only until the first fault."""
RETRACTION: Final = TypeAdapter(RetractionIn)
BATCH: Final = TypeAdapter(BatchIn)
BATCH_SHAPE: Final = TypeAdapter(BatchShape)
REPLAY: Final = TypeAdapter(ReplayIn)


def command_of(event: EventIn, caller: Principal, received_at: datetime) -> Reported:
    """Return the command that reports a valid event, with the identity of the event.

    Raises:
        ApiError: 403, the caller may not report as this source.
    """
    if not may_report_as(caller, event["source"]):
        detail = Detail("/source", SOURCE_NOT_ALLOWED)
        raise ApiError(ErrorCode.SOURCE_NOT_ALLOWED, SOURCE_NOT_ALLOWED, details=[detail])
    timestamp = to_milliseconds(event["timestamp"])
    reported: dict[str, Any] = {
        **event,
        "timestamp": timestamp,
        "utc_offset": utc_offset_of(event["timestamp"]),
        "event_id": event_id(event["tracking_number"], timestamp, event["source"]),
        "received_at": received_at,
        "submitted_by": caller.subject,
    }
    location = event.get("location")
    if location and location.get("address", "") is None:  # null counts as left out
        reported["location"] = {"lat": location["lat"], "lng": location["lng"]}
    checkpoint = reported.pop("checkpoint", None)
    if checkpoint is None:
        return ReportStatus(**reported)
    del reported["status"]
    return ReportCheckpoint(**reported, checkpoint=checkpoint)
