"""Answers to a batch of scans, without I/O: which scans are done, and which are refused.

The API answers a lenient batch with 202 and a verdict for every line. If it refuses all lines, it answers
400, or 403 with `SOURCE_NOT_ALLOWED`, and names at most a hundred faults.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final

from waybill.batches import event_index, problems_by_event, within_event
from waybill.errors import ApiError, UnexpectedResponse
from waybill.models.common import Problem
from waybill.models.events import QueuedBatch, QueuedItem, RejectedItem
from waybill.outbox.store import Refusal

LINE_FAULTS: Final = frozenset({"INVALID_JSON", "VALIDATION_ERROR", "SOURCE_NOT_ALLOWED"})
"""Error codes of a response that refuses every line."""

Verdicts = Mapping[int, Refusal | None]
"""By the index of a line: None where it is queued. A line without a verdict has not been judged."""


def verdicts_of(batch: QueuedBatch, count: int) -> Verdicts:
    """Return the verdict for each of `count` lines from a 202 response.

    Raises:
        UnexpectedResponse: it does not have exactly one verdict for each line.
    """
    verdicts = {item.index: _verdict(item) for item in batch.events}
    if len(batch.events) != count or verdicts.keys() != set(range(count)):
        raise _unexpected(f"{len(batch.events)} verdicts for {count} events")
    return verdicts


def refusals_of(error: ApiError, count: int) -> Verdicts:
    """Return the verdicts of a response that refuses all of `count` lines: those of the lines it names."""
    if error.code not in LINE_FAULTS:
        return {}
    named = problems_by_event(error.details, count)
    return {index: Refusal(error.code, problems) for index, problems in named.items()}


def is_refused_as_a_whole(error: ApiError) -> bool:
    """Say whether fewer lines could be accepted: the request is too large, or no line is named."""
    return error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or error.code in LINE_FAULTS


def _verdict(item: QueuedItem | RejectedItem) -> Refusal | None:
    if isinstance(item, RejectedItem):
        return Refusal(item.error, list(_own(item)))
    if item.status != "queued":
        raise _unexpected(f"an event with the status {item.status!r:.100}")
    return None


def _own(item: RejectedItem) -> Iterable[Problem]:
    """Return the problems without those of another line, which one that contradicts it has."""
    for detail in item.details:
        if event_index(detail) in (None, item.index):
            yield within_event(detail)


def _unexpected(found: str) -> UnexpectedResponse:
    return UnexpectedResponse(HTTPStatus.ACCEPTED, message=f"the response is none to a batch: it has {found}")
