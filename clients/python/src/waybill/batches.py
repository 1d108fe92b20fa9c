"""Batches of events: split into requests that the API accepts, and their answers joined."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from waybill.errors import BadRequest
from waybill.models import Problem, QueuedBatch, QueuedItem, RejectedItem
from waybill.values import instant_text, json_bytes

MAX_EVENTS: Final = 500
"""Half of the API's bound, so that one request does not take long."""
MAX_BYTES: Final = 2 * 1024 * 1024
"""The API's bound of a body."""


_POINTER: Final = re.compile(r"/events/(0|[1-9][0-9]{0,5})(/.*)?", re.DOTALL)
"""Pointer into a batch: the index of an event, and the place within it."""


class Part(NamedTuple):
    """Events of one request, as NDJSON.

    Attributes:
        start: index of its first event in the whole.
    """

    start: int
    size: int
    ndjson: bytes


def event_line(event: Mapping[str, Any], now: str) -> bytes:
    """Return an event as a line of NDJSON; without a timestamp it happened now.

    Raises:
        ValueError: the timestamp has no zone, or a value has no place in JSON.
    """
    fields = {name: value for name, value in event.items() if value is not None}
    fields["timestamp"] = instant_text(fields["timestamp"]) if "timestamp" in fields else now
    return json_bytes(fields) + b"\n"


def parts_of(events: Iterable[Mapping[str, Any]]) -> Iterator[Part]:
    """Yield the requests that events are sent in, in their order.

    Raises:
        ValueError: see `event_line`; the message has the event's index.
    """
    now = instant_text(datetime.now(UTC))
    start, size, lines = 0, 0, list[bytes]()
    for index, event in enumerate(events):
        try:
            line = event_line(event, now)
        except (TypeError, ValueError) as error:
            raise ValueError(f"event {index}: {error}") from error
        if lines and (len(lines) == MAX_EVENTS or size + len(line) > MAX_BYTES):
            yield Part(start, len(lines), b"".join(lines))
            start, size, lines = index, 0, []
        lines.append(line)
        size += len(line)
    if lines:
        yield Part(start, len(lines), b"".join(lines))


def shifted(batch: QueuedBatch, start: int) -> list[QueuedItem | RejectedItem]:
    """Return the items of a part's answer, with their indices in the whole."""
    return [item.model_copy(update={"index": item.index + start}) for item in batch.events]


def joined(items: list[QueuedItem | RejectedItem], received: int) -> QueuedBatch:
    """Return the answers of all parts as one."""
    queued = sum(isinstance(item, QueuedItem) for item in items)
    rejected = len(items) - queued
    message = f"{queued} of {received} events queued"
    return QueuedBatch(
        received=received, queued=queued, rejected=rejected, message=message, events=tuple(items)
    )


def relocated(error: BadRequest, part: Part) -> BadRequest:
    """Return the error of a part, whose pointers are those of the whole."""
    body = dict(error.body)
    details = body.get("details")
    if part.start and isinstance(details, list):
        body["details"] = [_moved(each, part.start) for each in details]
    return BadRequest(error.status_code, body, request_id=error.request_id, retry_after=error.retry_after)


def problems_by_event(problems: Iterable[Problem], size: int) -> dict[int, list[Problem]]:
    """Return the problems of a request by the index of their event, as they lie within the event.

    Args:
        problems: those that the API named; what concerns none of the events is left out.
        size: of the request, in events.
    """
    named: dict[int, list[Problem]] = {}
    for problem in problems:
        index = event_index(problem)
        if index is not None and index < size:
            named.setdefault(index, []).append(within_event(problem))
    return named


def within_event(problem: Problem) -> Problem:
    """Return a problem whose pointer leads into the event, not into the batch."""
    return Problem(pointer=_POINTER.sub(r"\2", problem.pointer), message=problem.message)


def event_index(problem: Problem) -> int | None:
    """Return the index of the event that has a problem; None: it concerns none."""
    found = _POINTER.fullmatch(problem.pointer)
    return None if found is None else int(found[1])


def _moved(detail: Any, start: int) -> Any:  # noqa: ANN401 - JSON is any
    pointer = detail.get("pointer") if isinstance(detail, dict) else None
    found = _POINTER.fullmatch(pointer) if isinstance(pointer, str) else None
    if found is None:
        return detail
    return {**detail, "pointer": f"/events/{int(found[1]) + start}{found[2] or ''}"}
