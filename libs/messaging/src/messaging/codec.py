"""The wire codec: commands and changes as CloudEvents 1.0 in structured JSON mode.

Sources: CloudEvents 1.0.2, its JSON format, its Kafka protocol binding (section 3.3), `recordedtime`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, NotRequired, Union, cast

from msgspec import Meta, to_builtins
from msgspec.json import Decoder, Encoder
from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from domain.errors import BusinessError, PoisonRecord
from domain.shipments.checkpoint import PATTERN as CHECKPOINT_PATTERN
from domain.shipments.commands import (
    DESCRIBED,
    OBSERVED,
    AmendShipment,
    Command,
    CreateShipment,
    Report,
    ReportCheckpoint,
    ReportStatus,
    RetractEvent,
    put_given,
)
from domain.shipments.event_identity import (
    API_SOURCE,
    EventId,
    creation_event_id,
    digest,
    event_id,
    fingerprint,
    retraction_event_id,
    tracking_number_of,
)
from domain.shipments.status import REPORTABLE, Status
from domain.shipments.tracking_number import TrackingNumber, parse_tracking_number
from domain.timestamps import format_timestamp, parse_timestamp
from domain.values import value
from messaging.wire_shapes import Changes, Description, Observation, UtcOffset, closed_struct, pattern

CONTENT_TYPE: Final = "application/cloudevents+json"
REPLY_TO: Final = "reply-to"
TRACEPARENT: Final = "traceparent"
CREATED_TYPE: Final = "waybill.shipment.created.v1"
STATUS_TYPE: Final = "waybill.shipment.status.v1"
CHECKPOINT_TYPE: Final = "waybill.shipment.checkpoint.v1"
AMENDED_TYPE: Final = "waybill.shipment.amended.v1"
RETRACTED_TYPE: Final = "waybill.shipment.retracted.v1"

Headers = Sequence[tuple[str, bytes]]
CONTENT_TYPE_HEADER: Final = ("content-type", CONTENT_TYPE.encode())


class _Envelope(TypedDict):
    specversion: Literal["1.0"]
    id: str
    source: str
    subject: str
    time: str
    recordedtime: str
    submittedby: str


# No shipment comes near it, and a double, on which fingerprints are computed, still represents it exactly.
_MAX_VERSION: Final = 2**53
_Version = Annotated[int, Field(ge=0, le=_MAX_VERSION), Meta(ge=0, le=_MAX_VERSION)]


class _CreatedData(Description):
    client_id: str
    request_key: NotRequired[str]


class _ReportData(Observation):
    source: str
    on_behalf_of: NotRequired[str]
    expected_versions: NotRequired[tuple[_Version, ...]]
    utc_offset: NotRequired[UtcOffset]


class _StatusData(_ReportData):
    status: Status


class _CheckpointData(_ReportData):
    checkpoint: Annotated[str, *pattern(CHECKPOINT_PATTERN)]


class _AmendedData(TypedDict):
    changes: Changes
    on_behalf_of: NotRequired[str]
    expected_versions: NotRequired[tuple[_Version, ...]]


class _RetractedData(TypedDict):
    retracts: str
    reason: str
    reported_by: NotRequired[str]


class _Created(_Envelope):
    type: Literal["waybill.shipment.created.v1"]
    data: _CreatedData


class _StatusReported(_Envelope):
    type: Literal["waybill.shipment.status.v1"]
    data: _StatusData


class _CheckpointReported(_Envelope):
    type: Literal["waybill.shipment.checkpoint.v1"]
    data: _CheckpointData


class _Amended(_Envelope):
    type: Literal["waybill.shipment.amended.v1"]
    data: _AmendedData


class _Retracted(_Envelope):
    type: Literal["waybill.shipment.retracted.v1"]
    data: _RetractedData


_Record = _Created | _StatusReported | _CheckpointReported | _Amended | _Retracted
CREATED: Final = TypeAdapter(_Created)
STATUS_REPORTED: Final = TypeAdapter(_StatusReported)
CHECKPOINT_REPORTED: Final = TypeAdapter(_CheckpointReported)
AMENDED: Final = TypeAdapter(_Amended)
RETRACTED: Final = TypeAdapter(_Retracted)
_RECORD: Final[TypeAdapter[_Record]] = TypeAdapter(Annotated[_Record, Field(discriminator="type")])
_SHAPES: Final = (_Created, _StatusReported, _CheckpointReported, _Amended, _Retracted)
CLOSED_RECORD: Final = Decoder(
    Union[tuple(closed_struct(each, tag_field="type") for each in _SHAPES)]  # noqa: UP007  # made at run time
)
"""Reads the records that this release writes, and no others."""
_REPORTABLE: Final = {str(status): status for status in REPORTABLE}

to_json: Final = Encoder().encode
"""Write values as JSON: the bytes that pydantic writes, in a third of its time.

Only numbers from 1e16 up, which no command has, would be written as `1e16` where pydantic writes `1e+16`.
"""
_SMALLEST_PLAIN: Final = 1e-4
_TOO_LARGE_FOR_PLAIN: Final = 1e16
_ESCAPED: Final = re.compile(r"[^\x00-\x7e]")
"""Characters that the canonical JSON escapes and msgspec does not."""
_to_sorted_json: Final = Encoder(order="sorted").encode


@value()
class Decoded:
    """A command read from the log, and the fingerprint of its payload."""

    command: Command
    fingerprint: str


def encode(command: Command) -> bytes:
    """Return the value of the record that carries `command`."""
    type_, data = _data_of(command)
    return to_json(
        {
            "specversion": "1.0",
            "id": command.event_id,
            "source": "/ingest-api",
            "type": type_,
            "subject": command.tracking_number,
            "time": format_timestamp(command.timestamp),
            "recordedtime": format_timestamp(command.received_at),
            "submittedby": command.submitted_by,
            "data": data,
        }
    )


def decode(value: bytes | None) -> Decoded:
    """Read a command from the value of a record.

    Raises:
        PoisonRecord: the value is not a valid command; the reason says where.
    """
    if value is None:
        raise PoisonRecord("the record has no value")
    try:
        record = _read(value)
        number = parse_tracking_number(record["subject"])
    except ValidationError as error:
        raise PoisonRecord(first_fault(error)) from error
    except BusinessError as error:
        raise PoisonRecord(f"subject: {error}") from error
    command = _command(record, number)
    if command.event_id != record["id"]:
        raise PoisonRecord(f"id: {record['id']!r} is not the id of this event, {command.event_id!r}")
    return Decoded(command, fingerprint_of(_payload_of(record)))


def fingerprint_of(payload: Mapping[str, Any]) -> str:
    """Return the `fingerprint` of a payload: by msgspec, in a third of the time, if that writes the same."""
    if not _is_canonical(payload):
        return fingerprint(payload)
    text = _to_sorted_json(payload)
    if not text.isascii() or b"\x7f" in text:
        text = _ESCAPED.sub(lambda found: _escape(found[0]), text.decode()).encode()
    return digest(text)


@lru_cache(maxsize=1024)  # an alphabet has few of them
def _escape(character: str) -> str:
    return json.dumps(character)[1:-1]


def _is_canonical(payload: Mapping[str, Any]) -> bool:
    """Return whether msgspec writes these members as the canonical JSON has them, but for `_ESCAPED`.

    It does so with strings, and with floats that Python writes without an exponent; 0.0 may be negative.
    """
    for member in payload.values():
        kind = type(member)
        if kind is float:
            if not _SMALLEST_PLAIN <= abs(member) < _TOO_LARGE_FOR_PLAIN:
                return False
        elif kind is dict:
            if not _is_canonical(member):
                return False
        elif kind is not str:
            return False
    return True


def header(headers: Headers, name: str) -> str | None:
    """Return the first header of that name, None if there is none or it has no value, which Kafka allows."""
    for key, text in headers:
        if key == name:
            return text.decode(errors="replace") if text is not None else None
    return None


def _read(value: bytes) -> _Record:
    """Read a record: by msgspec if it is as this release writes it, else by pydantic, which names the fault.

    Raises:
        ValidationError: it is not valid.
    """
    try:
        return cast("_Record", to_builtins(CLOSED_RECORD.decode(value)))
    except ValueError:  # of msgspec, or a string is not UTF-8
        return _RECORD.validate_json(value)


def _data_of(command: Command) -> tuple[str, dict[str, Any]]:
    """Return the type and the data of a command, apart from its identity."""
    data: dict[str, Any]
    if isinstance(command, CreateShipment):
        data = {"client_id": command.client_id}
        put_given(data, command, DESCRIBED)
        if command.request_key is not None:
            data["request_key"] = command.request_key
        return CREATED_TYPE, data
    if isinstance(command, RetractEvent):
        data = {"retracts": command.retracts, "reason": command.reason}
        if command.reported_by is not None:
            data["reported_by"] = command.reported_by
        return RETRACTED_TYPE, data
    if isinstance(command, AmendShipment):
        type_, data = AMENDED_TYPE, {"changes": command.changes}
    elif isinstance(command, ReportStatus):
        type_, data = STATUS_TYPE, {"status": str(command.status)}
        put_observation(data, command, OBSERVED)
    else:
        type_, data = CHECKPOINT_TYPE, {"checkpoint": command.checkpoint}
        put_observation(data, command, OBSERVED)
    if command.on_behalf_of is not None:
        data["on_behalf_of"] = command.on_behalf_of
    if command.expected_versions is not None:
        data["expected_versions"] = list(command.expected_versions)
    return type_, data


def put_observation(data: dict[str, Any], command: Report, names: tuple[str, ...]) -> None:
    """Put what a producer reported into `data`: the fields of these names."""
    data["source"] = command.source
    put_given(data, command, names)
    if command.utc_offset is not None:
        data["utc_offset"] = command.utc_offset


def _payload_of(record: _Record) -> Mapping[str, object]:
    """Return the data without the UTC offset: the same instant in another zone is the same payload."""
    data: Mapping[str, object] = record["data"]
    if "utc_offset" in data:
        return {name: value for name, value in data.items() if name != "utc_offset"}
    return data


def _command(record: _Record, number: TrackingNumber) -> Command:
    if record["type"] == STATUS_TYPE:
        return _report(record, number)
    if record["type"] == CREATED_TYPE:
        return _creation(record, number)
    if record["type"] == CHECKPOINT_TYPE:
        return _checkpoint(record, number)
    if record["type"] == RETRACTED_TYPE:
        return _retraction(record, number)
    return _amendment(record, number)


def _creation(record: _Created, number: TrackingNumber) -> CreateShipment:
    return CreateShipment(
        event_id=creation_event_id(number), **_circumstances(record, number), **record["data"]
    )


def _report(record: _StatusReported, number: TrackingNumber) -> ReportStatus:
    data = record["data"]
    status = _REPORTABLE.get(data["status"])
    if status is None:
        raise PoisonRecord(f"data.status: an event cannot carry {str(data['status'])!r}")
    reported: dict[str, Any] = {**data, "status": status}
    return ReportStatus(**_identified(record, number, data["source"]), **reported)


def _checkpoint(record: _CheckpointReported, number: TrackingNumber) -> ReportCheckpoint:
    data = record["data"]
    return ReportCheckpoint(**_identified(record, number, data["source"]), **data)


def _amendment(record: _Amended, number: TrackingNumber) -> AmendShipment:
    return AmendShipment(**_identified(record, number, API_SOURCE), **record["data"])


def _retraction(record: _Retracted, number: TrackingNumber) -> RetractEvent:
    data = record["data"]
    retracts = EventId(data["retracts"])
    try:
        retraction_id = retraction_event_id(retracts)
    except BusinessError as error:
        raise PoisonRecord(f"data.retracts: {error}") from error
    if tracking_number_of(retracts) != number:
        raise PoisonRecord("data.retracts: is an event of another shipment")
    return RetractEvent(
        event_id=retraction_id,
        retracts=retracts,
        reason=data["reason"],
        reported_by=data.get("reported_by"),
        **_circumstances(record, number),
    )


def _identified(record: _Record, number: TrackingNumber, source: str) -> dict[str, Any]:
    """Return the circumstances of an event and its id, which follows from them and its source."""
    fields = _circumstances(record, number)
    fields["event_id"] = event_id(number, fields["timestamp"], source)
    return fields


def _circumstances(record: _Record, number: TrackingNumber) -> dict[str, Any]:
    return {
        "tracking_number": number,
        "timestamp": _instant(record, "time"),
        "received_at": _instant(record, "recordedtime"),
        "submitted_by": record["submittedby"],
    }


def _instant(record: _Record, name: Literal["time", "recordedtime"]) -> datetime:
    try:
        return parse_timestamp(record[name])
    except (ValueError, OverflowError) as error:
        raise PoisonRecord(f"{name}: {error}") from error


def first_fault(error: ValidationError) -> str:
    """Return where a value is not valid, and why: its first fault."""
    fault = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    return f"{where}: {fault['msg']}" if where else str(fault["msg"])
