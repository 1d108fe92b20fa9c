"""What stands in the body of a batch: JSON or NDJSON; all of it or, leniently, what is good of it.

NDJSON has one event a line. An end of line after the last one changes nothing, nor does one blank line at the
end, which several tools write; any other empty line is refused like a line that is no JSON, so that lines and
events have the same numbers.

Events are looked at in slices, and between two of them the event loop serves others: whoever sends batches
takes turns with those who do not.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from aiohttp import web
from pydantic import ValidationError

from domain.access.permissions import Principal, may_report_as
from domain.errors import ErrorCode
from domain.shipments.commands import ReportStatus
from httpkit.request.bodies import (
    MAX_DETAILS,
    invalid,
    parse_json,
    parse_tree,
    parsing,
    read_body,
    require_no_oddity,
    require_sparse,
    validation_error,
)
from httpkit.request.negotiation import JSON, NDJSONS, require_media_type
from httpkit.response.errors import ApiError, Detail
from ingest_api.schemas.events import BATCH_SHAPE, EVENT, EVENTS, MAX_BATCH, EventIn

MAX_ITEM_DETAILS: Final = 10
NOT_ALLOWED: Final = "your account may not report events of this source"
MAX_LENIENT_DETAILS: Final = 1_000
SLICE: Final = 50

Source = TypeVar("Source")


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that is refused, and why: pointers are those of the whole body."""

    index: int
    error: ErrorCode
    details: tuple[Detail, ...]


Item = EventIn | Refused
Entry = ReportStatus | Refused
Reading = Callable[[Sequence[EventIn]], Sequence[ReportStatus]]
"""Makes the commands of good events, in their order."""


async def read_batch(
    request: web.Request, caller: Principal, commands: Reading, *, lenient: bool
) -> Sequence[Entry]:
    """Read a batch: its events in order, and `Refused` in the place of bad ones and of those not allowed.

    Refused is also what says something else than an earlier event of the same shipment, source and instant:
    one of them would be applied and the others be conflicts, long after the sender has had its answer. The
    same event twice is no fault.

    Raises:
        ApiError: 415, 413, 408; or 400 where the body as a whole is wrong, where all its events are, or,
            unless `lenient`, where one is: then with the first `MAX_DETAILS` faults. What comes behind them
            is not looked at. 403 if all that is wrong is whom they are from.
    """
    kind = require_media_type(request, JSON, *NDJSONS)
    body = await read_body(request)
    async with parsing(request, body):
        if kind == JSON:
            items, count = await _judged(_events(body), _read_events, caller, lenient=lenient)
        else:
            items, count = await _judged(_lines(body), _read_lines, caller, lenient=lenient)
    entries = _without_clashes(_entries_of(items, commands))
    refused = [entry for entry in entries if isinstance(entry, Refused)]
    if refused and (not lenient or len(refused) == len(entries)):
        if kind == JSON:
            require_no_oddity(body)
        raise _refusal(refused, unread=count - len(entries))
    return entries


def _entries_of(items: Sequence[Item], commands: Reading) -> list[Entry]:
    following = iter(commands([item for item in items if not isinstance(item, Refused)]))
    return [item if isinstance(item, Refused) else next(following) for item in items]


def _without_clashes(entries: Sequence[Entry]) -> Sequence[Entry]:
    ids = [entry.event_id for entry in entries if isinstance(entry, ReportStatus)]
    return entries if len(set(ids)) == len(ids) else list(_checked(entries))


def _checked(entries: Sequence[Entry]) -> Iterator[Entry]:
    first: dict[str, tuple[int, ReportStatus]] = {}
    room = MAX_LENIENT_DETAILS - sum(len(entry.details) for entry in entries if isinstance(entry, Refused))
    for index, entry in enumerate(entries):
        if isinstance(entry, Refused):
            yield entry
            continue
        before, earlier = first.setdefault(entry.event_id, (index, entry))
        if _says_the_same(entry, earlier):
            yield entry
            continue
        clash = _clash(before, index, room)
        room -= len(clash.details)
        yield clash


def _says_the_same(one: ReportStatus, other: ReportStatus) -> bool:
    """Compare events of one identity; an instant is the same in whatever local time it was sent."""
    return replace(one, utc_offset=other.utc_offset) == other


def _clash(before: int, index: int, room: int) -> Refused:
    """Name both events; only the later one, which names the other, where there is no room for two details."""
    same = "has the shipment, source and timestamp of"
    details = (
        Detail(f"/events/{before}", f"{same} /events/{index}, which says something else"),
        Detail(f"/events/{index}", f"{same} /events/{before}, but says something else: send one of them"),
    )
    return Refused(index, ErrorCode.VALIDATION_ERROR, details if room > 1 else details[1:])


async def _judged(
    sources: Sequence[Source],
    read: Callable[[Sequence[Source]], Iterable[EventIn | ApiError]],
    caller: Principal,
    *,
    lenient: bool,
) -> tuple[list[Item], int]:
    """Read one slice after another, and no more once a batch is refused for as many faults as are named."""
    items, faults = list[Item](), 0
    for start in range(0, len(sources), SLICE):
        if start:
            await asyncio.sleep(0)
        for event in read(sources[start : start + SLICE]):
            allowed = _allowed(event, caller)
            if not isinstance(allowed, ApiError):
                items.append(allowed)
                continue
            refused = _refused(len(items), allowed, MAX_LENIENT_DETAILS - faults)
            items.append(refused)
            faults += len(refused.details)
            if not lenient and faults >= MAX_DETAILS:
                return items, len(sources)
    return items, len(sources)


def _allowed(event: EventIn | ApiError, caller: Principal) -> EventIn | ApiError:
    if isinstance(event, ApiError) or may_report_as(caller, event["source"]):
        return event
    return ApiError(ErrorCode.SOURCE_NOT_ALLOWED, NOT_ALLOWED, details=[Detail("/source", NOT_ALLOWED)])


def _events(body: bytes) -> Sequence[Any]:
    try:
        events: Sequence[Any] = BATCH_SHAPE.validate_python(parse_tree(body))["events"]
    except ValidationError as error:
        require_no_oddity(body)
        raise invalid(error) from error
    return events


def _read_events(values: Sequence[object]) -> Iterable[EventIn | ApiError]:
    """Read a slice in one call, which takes half as long; one by one where that finds a fault."""
    try:
        return EVENTS.validate_python(values)
    except ValidationError:
        return map(_event, values)


def _event(value: object) -> EventIn | ApiError:
    try:
        return EVENT.validate_python(value)
    except ValidationError as error:
        return invalid(error)


def _lines(body: bytes) -> Sequence[bytes]:
    for _ in range(2):  # the end of the last line, and one blank line
        body = body.removesuffix(b"\n").removesuffix(b"\r")
    if not body.strip():
        raise ApiError(ErrorCode.INVALID_JSON, "the body is empty")
    count = body.count(b"\n") + 1
    if count > MAX_BATCH:
        raise validation_error([Detail("/events", f"has {count} lines; {MAX_BATCH} are the most")])
    require_sparse(body)
    return body.split(b"\n")


def _read_lines(lines: Sequence[bytes]) -> Iterable[EventIn | ApiError]:
    return map(_line, lines)


def _line(line: bytes) -> EventIn | ApiError:
    try:
        return parse_json(line, EVENT)
    except ApiError as error:
        return error


def _refused(index: int, error: ApiError, room: int) -> Refused:
    """Say why an event is refused, in no more details than there is room for, but in one."""
    place = f"/events/{index}"
    if not error.details:
        return Refused(index, error.code, (Detail(place, error.message),))
    most = max(0, min(MAX_ITEM_DETAILS, room - 1))
    named = [Detail(place + detail.pointer, detail.message) for detail in error.details[:most]]
    if len(error.details) > most:
        named.append(Detail(place, "has more faults than are named" if named else "has faults"))
    return Refused(index, error.code, tuple(named))


def _refusal(refused: Sequence[Refused], *, unread: int) -> ApiError:
    details = list(_details(refused))
    error = validation_error(details[:MAX_DETAILS], len(details))
    if all(item.error is ErrorCode.SOURCE_NOT_ALLOWED for item in refused):
        error = ApiError(ErrorCode.SOURCE_NOT_ALLOWED, NOT_ALLOWED, details=error.details)
    elif any(item.error is ErrorCode.INVALID_JSON for item in refused):
        error = ApiError(ErrorCode.INVALID_JSON, "not every line is JSON", details=error.details)
    if not unread:
        return error
    message = f"{error.message}; the last {unread} events were not looked at"
    return ApiError(error.code, message, details=error.details)


def _details(refused: Sequence[Refused]) -> Iterator[Detail]:
    for item in refused:
        yield from item.details
