"""Bodies of batches, JSON or NDJSON, as commands: all events or, if lenient, the valid ones.

NDJSON has one event per line. A newline after the last one is optional, and so is one blank line at the end,
which several tools write; any other empty line is rejected as invalid JSON, so that lines and events have the
same numbers.

Events are validated in slices, and between two slices the event loop serves other requests.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeVar

from aiohttp import web
from pydantic import ValidationError

from domain.access.permissions import Principal
from domain.ports.core import Clock
from domain.shipments.commands import Report
from httpkit.request.bodies import (
    MAX_DETAILS,
    invalid,
    parse_json,
    parse_tree,
    parsing,
    read_body,
    require_few_values,
    require_valid_numbers,
    validation_error,
)
from httpkit.request.negotiation import JSON, NDJSONS, require_media_type
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError, Detail
from ingest_api.schemas.events import (
    BATCH_SHAPE,
    EVENT,
    EVENTS,
    MAX_BATCH,
    SOURCE_NOT_ALLOWED,
    EventIn,
    Reported,
    command_of,
)

MAX_ITEM_DETAILS: Final = 10
MAX_LENIENT_DETAILS: Final = 1_000
SLICE: Final = 50

Source = TypeVar("Source")


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """A rejected event and its faults; their pointers are relative to the whole body."""

    index: int
    error: ErrorCode
    details: tuple[Detail, ...]


Entry = Reported | RejectedEvent


async def read_batch(
    request: web.Request, caller: Principal, clock: Clock, *, lenient: bool
) -> Sequence[Entry]:
    """Read a batch as commands, in order, with `RejectedEvent` for those that are invalid or not allowed.

    An event that contradicts an earlier one of the same shipment, source and timestamp is rejected too: one
    of them would be applied and the others be conflicts, long after the sender has had its response. The same
    event twice is not a fault.

    Raises:
        ApiError: 415, 413, 408; or 400 if the body as a whole is invalid, if all its events are, or, unless
            `lenient`, if one is: then with the first `MAX_DETAILS` faults, and later events are not
            validated. 403 if the only fault is that sources are not allowed.
    """
    kind = require_media_type(request, JSON, *NDJSONS)
    body = await read_body(request)
    received_at = clock.now()
    async with parsing(request, body):
        if kind == JSON:
            read, count = await _read(_events(body), _read_events, caller, received_at, lenient=lenient)
        else:
            read, count = await _read(_lines(body), _read_lines, caller, received_at, lenient=lenient)
    entries = _without_contradictions(read)
    rejected = [entry for entry in entries if isinstance(entry, RejectedEvent)]
    if rejected and (not lenient or len(rejected) == len(entries)):
        if kind == JSON:
            require_valid_numbers(body)
        raise _rejection(rejected, unread=count - len(entries))
    return entries


def _events(body: bytes) -> Sequence[Any]:
    try:
        events: Sequence[Any] = BATCH_SHAPE.validate_python(parse_tree(body))["events"]
    except ValidationError as error:
        require_valid_numbers(body)
        raise invalid(error) from error
    return events


def _lines(body: bytes) -> Sequence[bytes]:
    for _ in range(2):  # the end of the last line, and one blank line
        body = body.removesuffix(b"\n").removesuffix(b"\r")
    if not body.strip():
        raise ApiError(ErrorCode.INVALID_JSON, "the body is empty")
    count = body.count(b"\n") + 1
    if count > MAX_BATCH:
        raise validation_error([Detail("/events", f"has {count} lines; {MAX_BATCH} are the most")])
    require_few_values(body)
    return body.split(b"\n")


async def _read(
    sources: Sequence[Source],
    read: Callable[[Sequence[Source]], Iterable[EventIn | ApiError]],
    caller: Principal,
    received_at: datetime,
    *,
    lenient: bool,
) -> tuple[list[Entry], int]:
    """Read slice after slice, and stop once a batch is rejected with `MAX_DETAILS` faults."""
    entries, faults = list[Entry](), 0
    for start in range(0, len(sources), SLICE):
        if start:
            await asyncio.sleep(0)
        for event in read(sources[start : start + SLICE]):
            command = _command_or_error(event, caller, received_at)
            if not isinstance(command, ApiError):
                entries.append(command)
                continue
            rejected = _rejected(len(entries), command, MAX_LENIENT_DETAILS - faults)
            entries.append(rejected)
            faults += len(rejected.details)
            if not lenient and faults >= MAX_DETAILS:
                return entries, len(sources)
    return entries, len(sources)


def _read_events(values: Sequence[object]) -> Iterable[EventIn | ApiError]:
    """Validate a slice in one call, which takes half as long; one by one if that fails."""
    try:
        return EVENTS.validate_python(values)
    except ValidationError:
        return map(_event, values)


def _event(value: object) -> EventIn | ApiError:
    try:
        return EVENT.validate_python(value)
    except ValidationError as error:
        return invalid(error)


def _read_lines(lines: Sequence[bytes]) -> Iterable[EventIn | ApiError]:
    return map(_line, lines)


def _line(line: bytes) -> EventIn | ApiError:
    try:
        return parse_json(line, EVENT)
    except ApiError as error:
        return error


def _command_or_error(
    event: EventIn | ApiError, caller: Principal, received_at: datetime
) -> Reported | ApiError:
    if isinstance(event, ApiError):
        return event
    try:
        return command_of(event, caller, received_at)
    except ApiError as error:
        return error


def _rejected(index: int, error: ApiError, room: int) -> RejectedEvent:
    """Return a rejected event with at most `room` details, but at least one."""
    place = f"/events/{index}"
    if not error.details:
        return RejectedEvent(index, error.code, (Detail(place, error.message),))
    most = max(0, min(MAX_ITEM_DETAILS, room - 1))
    named = [Detail(place + detail.pointer, detail.message) for detail in error.details[:most]]
    if len(error.details) > most:
        named.append(Detail(place, "has more faults than are named" if named else "has faults"))
    return RejectedEvent(index, error.code, tuple(named))


def _without_contradictions(entries: Sequence[Entry]) -> Sequence[Entry]:
    ids = [entry.event_id for entry in entries if isinstance(entry, Report)]
    return entries if len(set(ids)) == len(ids) else list(_checked(entries))


def _checked(entries: Sequence[Entry]) -> Iterator[Entry]:
    first: dict[str, tuple[int, Reported]] = {}
    room = MAX_LENIENT_DETAILS - sum(
        len(entry.details) for entry in entries if isinstance(entry, RejectedEvent)
    )
    for index, entry in enumerate(entries):
        if isinstance(entry, RejectedEvent):
            yield entry
            continue
        before, earlier = first.setdefault(entry.event_id, (index, entry))
        if entry is earlier or _is_same_event(entry, earlier):
            yield entry
            continue
        contradiction = _contradiction(before, index, room)
        room -= len(contradiction.details)
        yield contradiction


def _is_same_event(one: Reported, other: Reported) -> bool:
    """Compare events of one id; the UTC offset of the timestamp does not matter."""
    return replace(one, utc_offset=other.utc_offset) == other


def _contradiction(before: int, index: int, room: int) -> RejectedEvent:
    """Report both events; only the later one, which names the other, if there is no room for two details."""
    same = "has the shipment, source and timestamp of"
    details = (
        Detail(f"/events/{before}", f"{same} /events/{index}, which says something else"),
        Detail(f"/events/{index}", f"{same} /events/{before}, but says something else: send one of them"),
    )
    return RejectedEvent(index, ErrorCode.VALIDATION_ERROR, details if room > 1 else details[1:])


def _rejection(rejected: Sequence[RejectedEvent], *, unread: int) -> ApiError:
    details = list(_details(rejected))
    error = validation_error(details[:MAX_DETAILS], len(details))
    if all(item.error is ErrorCode.SOURCE_NOT_ALLOWED for item in rejected):
        error = ApiError(ErrorCode.SOURCE_NOT_ALLOWED, SOURCE_NOT_ALLOWED, details=error.details)
    elif any(item.error is ErrorCode.INVALID_JSON for item in rejected):
        error = ApiError(ErrorCode.INVALID_JSON, "not every line is JSON", details=error.details)
    if not unread:
        return error
    message = f"{error.message}; the last {unread} events were not looked at"
    return ApiError(error.code, message, details=error.details)


def _details(rejected: Sequence[RejectedEvent]) -> Iterator[Detail]:
    for item in rejected:
        yield from item.details
