"""Event identity: same shipment, source and instant are the same event (ADR 0003)."""

import json
import re
from base64 import b32encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NewType

from domain.errors import InvalidEventId
from domain.shipments.tracking_number import PATTERN, TrackingNumber, is_tracking_number

EventId = NewType("EventId", str)

API_SOURCE: Final = "api"
"""The source of changes made through the API; producers cannot use it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_text: Final = json.JSONEncoder().encode
_RETRACTED: Final = "_retracted"
_FORM: Final = re.compile(rf"evt_({PATTERN})_(?:created|[0-9a-f]{{12}}_[a-z2-7]{{13}})({_RETRACTED})?")


def event_id(tracking_number: TrackingNumber, timestamp: datetime, source: str) -> EventId:
    """Return the id of an event: the shipment, the instant in milliseconds, a digest of the source.

    Ids of one shipment share a prefix and sort by time, so a shipment's audit trail is a range of ids.

    Args:
        tracking_number: the shipment.
        timestamp: when it happened, aware, 1970 or later; what is finer than a millisecond is cut off.
        source: the reporting device or place, as the event names it.
    """
    instant_ms = (timestamp - _EPOCH) // _MILLISECOND
    return EventId(f"evt_{tracking_number}_{instant_ms:012x}_{_source_digest(source)}")


def creation_event_id(tracking_number: TrackingNumber) -> EventId:
    """Return the id of a shipment's creation, of which there is one."""
    return EventId(f"evt_{tracking_number}_created")


def retraction_event_id(retracted: EventId) -> EventId:
    """Return the id of the retraction of an event, of which there is one.

    Raises:
        InvalidEventId: no event that can be retracted has this id.
    """
    tracking_number_of(retracted)
    if retracted.endswith(_RETRACTED):
        raise InvalidEventId("a retraction cannot be retracted: report the event with its new time")
    return EventId(f"{retracted}{_RETRACTED}")


def id_at(tracking_number: TrackingNumber, instant: datetime) -> str:
    """Return the lower bound of the ids of a shipment's events from `instant` on, above all earlier ones.

    A creation's id holds no time: it is not among them.
    """
    instant_ms = (instant - _EPOCH) // _MILLISECOND
    return f"{trail_prefix(tracking_number)}{max(instant_ms, 0):012x}"


def trail_prefix(tracking_number: TrackingNumber) -> str:
    """Return the prefix of the ids of a shipment's events."""
    return f"evt_{tracking_number}_"


def tracking_number_of(text: str) -> TrackingNumber:
    """Return the shipment that an event id names.

    Raises:
        InvalidEventId: no event can have this id.
    """
    match = _FORM.fullmatch(text)
    if match is None or not is_tracking_number(match[1]):
        raise InvalidEventId(
            "an event id is evt_, a tracking number, the time in hex and the source's digest"
        )
    return TrackingNumber(match[1])


def fingerprint(payload: Mapping[str, object]) -> str:
    """Return a digest of a JSON payload that is the same however the payload is written.

    The order of fields does not count, a field that is null is absent, and all numbers are doubles: 5 is
    5.0 and -0.0 is 0.0. The same id with another fingerprint is a conflict: two different reports of one
    instant.

    Returns:
        The digest of the canonical JSON: sorted members, no blanks, ASCII, numbers as `repr` of a float.

    Raises:
        TypeError: a value is none of JSON.
    """
    return digest(_canonical(payload).encode())


def digest(canonical: bytes) -> str:
    """Return the fingerprint of a payload whose canonical JSON is known: 24 hex digits of BLAKE2b-96."""
    return blake2b(canonical, digest_size=12).hexdigest()


def _canonical(value: object) -> str:
    """Write JSON with sorted members, no spaces, ASCII only, and numbers as Python writes a float."""
    if type(value) is float:
        return repr(value + 0.0)  # which makes -0.0 a 0.0
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        names = [name for name in sorted(value) if value[name] is not None]
        return "{" + ",".join([f"{_member_name(name)}:{_canonical(value[name])}" for name in names]) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join([_canonical(each) for each in value]) + "]"
    if value is None or isinstance(value, bool):
        return _text(value)
    if isinstance(value, int | float):
        return repr(value + 0.0)
    raise TypeError(f"{type(value).__name__} is no JSON value")


@lru_cache(maxsize=256)
def _member_name(name: str) -> str:
    return _text(name)


@lru_cache(maxsize=65_536)
def _source_digest(source: str) -> str:
    digest = blake2b(source.encode(), digest_size=8).digest()
    return b32encode(digest).decode().rstrip("=").lower()
