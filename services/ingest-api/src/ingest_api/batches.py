"""What stands in the body of a batch: JSON or NDJSON; all of it or, leniently, what is good of it.

NDJSON has one event a line. An end of line after the last one changes nothing; any other empty line is
refused like a line that is no JSON, so that lines and events have the same numbers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

from aiohttp import web

from domain.commands import ReportStatus
from domain.errors import ErrorCode
from domain.permissions import Principal, may_report_as
from httpkit.bodies import MAX_DETAILS, parse_json, read_body, validation_error
from httpkit.errors import ApiError, Detail
from httpkit.negotiation import JSON, NDJSON, require_media_type
from ingest_api.models import BATCH, EVENT, LENIENT_BATCH, MAX_BATCH, EventIn

MAX_ITEM_DETAILS: Final = 10
NOT_ALLOWED: Final = "your account may not report events of this source"


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that is refused, and why: pointers are those of the whole body."""

    index: int
    error: ErrorCode
    details: tuple[Detail, ...]


Item = EventIn | Refused
Entry = ReportStatus | Refused


async def read_batch(request: web.Request, caller: Principal, *, lenient: bool) -> Sequence[Item]:
    """Read a batch: its events in order, and `Refused` in the place of bad ones and of those not allowed.

    Raises:
        ApiError: 415, 413, 408; or 400 where the body as a whole is wrong, where all its events are, or,
            unless `lenient`, where one is: then with the faults of all events; 403 if all that is wrong is
            whom they are from.
    """
    kind = require_media_type(request, JSON, NDJSON)
    body = await read_body(request)
    if kind == JSON and not lenient:
        read: Sequence[Item] = parse_json(body, BATCH)["events"]
    else:
        read = _ndjson(body) if kind == NDJSON else _lenient(body)
    items = [_allowed(index, item, caller) for index, item in enumerate(read)]
    refused = [item for item in items if isinstance(item, Refused)]
    if refused and (not lenient or len(refused) == len(items)):
        raise _refusal(refused)
    return items


def entries_of(items: Sequence[Item], commands: Sequence[ReportStatus]) -> list[Entry]:
    """Return the items with their commands in the place of the good ones."""
    following = iter(commands)
    return [item if isinstance(item, Refused) else next(following) for item in items]


def without_clashes(entries: Sequence[Entry], *, lenient: bool) -> Sequence[Entry]:
    """Refuse events that say something else than an earlier one of the same shipment, source and instant.

    One of them would be applied and the others be conflicts, long after the sender has had its answer. The
    same event twice is no fault.

    Raises:
        ApiError: 400, unless `lenient`; it names both events of each pair.
    """
    ids = [entry.event_id for entry in entries if isinstance(entry, ReportStatus)]
    if len(set(ids)) == len(ids):
        return entries
    checked = list(_checked(entries))
    if lenient or checked == list(entries):
        return checked
    details = [each for item in checked if isinstance(item, Refused) for each in item.details]
    raise validation_error(details[:MAX_DETAILS], len(details))


def _checked(entries: Sequence[Entry]) -> Iterator[Entry]:
    first: dict[str, tuple[int, ReportStatus]] = {}
    for index, entry in enumerate(entries):
        if isinstance(entry, Refused):
            yield entry
            continue
        before, earlier = first.setdefault(entry.event_id, (index, entry))
        yield entry if entry == earlier else _clash(before, index)


def _clash(before: int, index: int) -> Refused:
    same = "has the shipment, source and timestamp of"
    details = (
        Detail(f"/events/{before}", f"{same} /events/{index}, which says something else"),
        Detail(f"/events/{index}", f"{same} /events/{before}, but says something else: send one of them"),
    )
    return Refused(index, ErrorCode.VALIDATION_ERROR, details)


def _allowed(index: int, item: Item, caller: Principal) -> Item:
    if isinstance(item, Refused) or may_report_as(caller, item["source"]):
        return item
    detail = Detail(f"/events/{index}/source", NOT_ALLOWED)
    return Refused(index, ErrorCode.SOURCE_NOT_ALLOWED, (detail,))


def _lenient(body: bytes) -> list[Item]:
    events = cast("list[EventIn | ApiError]", parse_json(body, LENIENT_BATCH)["events"])
    return [_item(index, event) for index, event in enumerate(events)]


def _ndjson(body: bytes) -> list[Item]:
    body = body.removesuffix(b"\n").removesuffix(b"\r")
    if not body.strip():
        raise ApiError(ErrorCode.INVALID_JSON, "the body is empty")
    count = body.count(b"\n") + 1
    if count > MAX_BATCH:
        raise validation_error([Detail("/events", f"has {count} lines; {MAX_BATCH} are the most")])
    return [_item(index, _line(line)) for index, line in enumerate(body.split(b"\n"))]


def _line(line: bytes) -> EventIn | ApiError:
    try:
        return parse_json(line, EVENT)
    except ApiError as error:
        return error


def _item(index: int, event: EventIn | ApiError) -> Item:
    if not isinstance(event, ApiError):
        return event
    place = f"/events/{index}"
    if not event.details:
        return Refused(index, event.code, (Detail(place, event.message),))
    named = [Detail(place + detail.pointer, detail.message) for detail in event.details[:MAX_ITEM_DETAILS]]
    if len(event.details) > MAX_ITEM_DETAILS:
        named.append(Detail(place, "has more faults than are named"))
    return Refused(index, event.code, tuple(named))


def _refusal(refused: Sequence[Refused]) -> ApiError:
    details = list(_details(refused))
    error = validation_error(details[:MAX_DETAILS], len(details))
    if all(item.error is ErrorCode.SOURCE_NOT_ALLOWED for item in refused):
        return ApiError(ErrorCode.SOURCE_NOT_ALLOWED, NOT_ALLOWED, details=error.details)
    if not any(item.error is ErrorCode.INVALID_JSON for item in refused):
        return error
    return ApiError(ErrorCode.INVALID_JSON, "not every line is JSON", details=error.details)


def _details(refused: Sequence[Refused]) -> Iterator[Detail]:
    for item in refused:
        yield from item.details
