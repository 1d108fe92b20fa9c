"""Scans: events that wait in an outbox, and the checks that need no API."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from waybill.models.common import REPORTABLE, Location, Problem
from waybill.outbox.errors import InvalidScan
from waybill.outbox.tracking_numbers import read_tracking_number

MAX_AHEAD: Final = timedelta(minutes=5)
MAX_NAME: Final = 128
MAX_LINE: Final = 300
MAX_TEXT: Final = 1000

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_CHECKPOINT: Final = re.compile("[a-z][a-z0-9_]{0,63}")
_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
_NEVER: Final = "\ud800-\udfff\ufdd0-\ufdef" + "".join(
    f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17)
)
_NOT_IN_LINE: Final = re.compile(f"[\0-\x1f\x7f-\x9f\u2028\u2029{_NEVER}]")
_NOT_IN_TEXT: Final = re.compile(f"[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_NEVER}]")
_FINEST: Final = timedelta(milliseconds=1)

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan that waits to be sent.

    Attributes:
        id: its number in this outbox; a later scan has a higher one.
        added_at: when `add()` stored it, by this device's clock.
        event: the event as it is sent.
    """

    id: int
    added_at: datetime
    event: Mapping[str, Any]

    @property
    def tracking_number(self) -> str:
        """Tracking number of the shipment."""
        return str(self.event["tracking_number"])

    @property
    def timestamp(self) -> datetime:
        """Time of the scan, with its offset."""
        return instant_of(self.event)


@dataclass(frozen=True, slots=True)
class RefusedScan(Scan):
    """A scan that the API refused.

    Attributes:
        refused_at: when the answer came, by this device's clock.
        error: the API's error code, such as `VALIDATION_ERROR`.
        problems: the faults that the API named.
    """

    refused_at: datetime
    error: str
    problems: tuple[Problem, ...]


def instant_of(event: Mapping[str, Any]) -> datetime:
    """Return the time of an event."""
    return datetime.fromisoformat(event["timestamp"])


def milliseconds(instant: datetime) -> int:
    """Return an instant in whole milliseconds since 1970, as events are told apart."""
    return (instant - _EPOCH) // _FINEST


def text_of(instant: datetime) -> str:
    """Return an aware instant in RFC 3339 with its offset, cut to milliseconds."""
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line_of(event: Mapping[str, Any]) -> str:
    """Return an event as a line of NDJSON, without the newline; the same event is the same line."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def checked(fields: Mapping[str, Any], now: datetime) -> Event:
    """Return the event that `fields` describe; None is the same as a field left out.

    Args:
        fields: the fields of the API's events; `timestamp` may be an aware datetime.
        now: the device's time; the timestamp must not be more than `MAX_AHEAD` later.

    Raises:
        InvalidScan: with every fault that can be found without the API.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    event: Event = {}
    problems: list[Problem] = []
    checks = _checks(now)
    for name, check in checks.items():
        if name in given:
            try:
                event[name] = check(given[name])
            except ValueError as fault:
                problems.append(_problem(name, str(fault)))
        elif name in ("tracking_number", "source"):
            problems.append(_problem(name, "is required"))
    problems += [_problem(name, "is an unknown field") for name in given.keys() - checks.keys()]
    problems += _of_the_whole(given)
    if problems:
        raise InvalidScan(problems)
    return event


def _checks(now: datetime) -> dict[str, Callable[[Any], Any]]:
    return {
        "tracking_number": lambda value: read_tracking_number(_string(value)),
        "status": _status,
        "checkpoint": _checkpoint,
        "timestamp": lambda value: _instant(value, now),
        "source": _source,
        "location": _location,
        "notes": lambda value: _characters(value, MAX_TEXT, _NOT_IN_TEXT),
        "signed_by": lambda value: _characters(value, MAX_LINE, _NOT_IN_LINE),
    }


def _of_the_whole(given: Mapping[str, Any]) -> Iterator[Problem]:
    if "status" in given and "checkpoint" in given:
        yield _problem("checkpoint", "is not taken beside a status: give one of the two")
    if "status" not in given and "checkpoint" not in given:
        yield _problem("status", "is required, unless there is a checkpoint")
    if "signed_by" in given and given.get("status") != "delivered":
        yield _problem("signed_by", "is taken with the status delivered only")


def _problem(name: str, message: str) -> Problem:
    return Problem(pointer=f"/{name}", message=message)


def _string(value: Any) -> str:  # noqa: ANN401  # whatever a caller gives
    if not isinstance(value, str):
        raise ValueError(f"must be a text, not {type(value).__name__}")  # noqa: TRY004  # collected with others
    return value


def _characters(value: Any, most: int, forbidden: re.Pattern[str]) -> str:  # noqa: ANN401  # as above
    text = _string(value)
    if not 1 <= len(text) <= most:
        raise ValueError(f"must have 1 to {most} characters, not {len(text)}")
    found = forbidden.search(text)
    if found is not None:
        raise ValueError(f"must not contain U+{ord(found[0]):04X}, which is at character {found.start() + 1}")
    return text


def _status(value: Any) -> str:  # noqa: ANN401  # as above
    if value not in REPORTABLE:
        raise ValueError(f"must be one of {', '.join(REPORTABLE)}")
    return str(value)


def _checkpoint(value: Any) -> str:  # noqa: ANN401  # as above
    if _CHECKPOINT.fullmatch(_string(value)) is None:
        raise ValueError("must be a lower-case letter and up to 63 more, digits or _")
    return str(value)


def _source(value: Any) -> str:  # noqa: ANN401  # as above
    if value == "api":
        raise ValueError("'api' is reserved for changes made through the API")
    return _characters(value, MAX_NAME, _NOT_IN_LINE)


def _instant(value: Any, now: datetime) -> str:  # noqa: ANN401  # as above
    """Return a timestamp as text, cut to milliseconds, with the offset that it was given with."""
    instant = value if isinstance(value, datetime) else _parsed(_string(value))
    if instant.utcoffset() is None:
        raise ValueError("has no zone, so it could mean any hour: give an aware datetime")
    if instant < _EPOCH:
        raise ValueError("must not be before 1970")
    if instant > now + MAX_AHEAD:
        raise ValueError(
            f"is more than {MAX_AHEAD // timedelta(minutes=1)} minutes ahead of this device's clock"
        )
    offset = instant.utcoffset() or timedelta(0)
    if offset % timedelta(minutes=1):  # RFC 3339 has offsets in minutes; local mean times have seconds
        instant = instant.astimezone(UTC)
    return text_of(instant)


def _parsed(text: str) -> datetime:
    if _RFC3339.fullmatch(text) is None:
        raise ValueError("must be a time in RFC 3339 with its offset, such as 2026-11-02T10:00:00-05:00")
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError("is no instant of the calendar") from None


def _location(value: Any) -> dict[str, Any]:  # noqa: ANN401  # as above
    if isinstance(value, Location):
        value = value.model_dump()
    if not isinstance(value, Mapping):
        raise ValueError('must be {"lat": …, "lng": …} and may have an "address"')  # noqa: TRY004  # as above
    unknown = set(value) - {"lat", "lng", "address"}
    if unknown:
        raise ValueError(f"has unknown members: {', '.join(sorted(map(str, unknown)))}")
    place: dict[str, Any] = {"lat": _degrees(value, "lat", 90), "lng": _degrees(value, "lng", 180)}
    if value.get("address") is not None:
        try:
            place["address"] = _characters(value["address"], MAX_LINE, _NOT_IN_LINE)
        except ValueError as fault:
            raise ValueError(f"address {fault}") from None
    return place


def _degrees(place: Mapping[str, Any], name: str, most: int) -> float:
    degrees = place.get(name)
    if isinstance(degrees, bool) or not isinstance(degrees, int | float):
        raise ValueError(f"{name} must be a number")  # noqa: TRY004  # as above
    if not -most <= degrees <= most:  # nor is NaN
        raise ValueError(f"{name} must be between {-most} and {most}")
    return degrees
