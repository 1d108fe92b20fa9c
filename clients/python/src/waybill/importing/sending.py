"""Sending of rows: events in batches, shipments one by one and several at once; both are safe to repeat."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from waybill import Waybill
from waybill.batches import MAX_EVENTS, problems_by_event, within_event
from waybill.errors import ApiError, BadRequest, Conflict, Forbidden, NotFound
from waybill.importing.events import Json
from waybill.importing.results import Outcome, RowResult
from waybill.models import Problem, QueuedItem, Registered, RejectedItem
from waybill.models.events import Outcome as EventOutcome

SHIPMENTS_AT_ONCE: Final = 64
CONNECTIONS: Final = 8

_OTHER_CONTENT: Final = "IDEMPOTENCY_CONFLICT"
_NO_SUCH_SOURCE: Final = "SOURCE_NOT_ALLOWED"

Keyed = tuple[Json, str]
Record = Callable[[int, RowResult], None]


class Sender(Protocol):
    """Way of sending rows."""

    @property
    def rows_at_once(self) -> int:
        """Number of rows that `send` takes."""

    def send(self, rows: Sequence[Keyed], record: Record) -> None:
        """Send rows, and record the outcome of each by its position as soon as it is known.

        Raises:
            WaybillError: Waybill did not answer, or does not let this user in.
        """


@dataclass(frozen=True, slots=True)
class EventSender:
    """Send events, as batches in which an invalid one does not block the others."""

    client: Waybill
    rows_at_once: int = MAX_EVENTS

    def send(self, rows: Sequence[Keyed], record: Record) -> None:
        """Send events; see `Sender`."""
        waiting = list(range(len(rows)))
        while waiting:
            answered = self._answers([rows[at][0] for at in waiting])
            for index, result in answered.items():
                record(waiting[index], result)
            waiting = [at for index, at in enumerate(waiting) if index not in answered]

    def _answers(self, events: Sequence[Json]) -> Mapping[int, RowResult]:
        """Send a batch, and return the outcomes that the answer names: at least one."""
        try:
            batch = self.client.events.report_batch(events, lenient=True)
        except ApiError as error:
            if not _is_about_rows(error):
                raise
            # No event is valid: the batch is rejected as a whole, with its first hundred problems.
            return _named(error, len(events)) or dict.fromkeys(range(len(events)), _rejected(error.message))
        return {item.index: _result_of(item) for item in batch.events}


@dataclass(frozen=True, slots=True)
class ShipmentSender:
    """Create shipments, each with its own Idempotency-Key."""

    client: Waybill
    rows_at_once: int = SHIPMENTS_AT_ONCE

    def send(self, rows: Sequence[Keyed], record: Record) -> None:
        """Create shipments; see `Sender`."""
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            created = [
                pool.submit(self._create, shipment, key, partial(record, position))
                for position, (shipment, key) in enumerate(rows)
            ]
            try:
                for each in created:
                    each.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _create(self, shipment: Json, key: str, record: Callable[[RowResult], None]) -> None:
        try:
            made = self.client.shipments.create(**shipment, idempotency_key=key)
        except (BadRequest, Conflict, Forbidden) as error:
            record(_rejected(_error_text(error)))
        else:
            is_there = isinstance(made, Registered)
            record(RowResult(Outcome.CREATED if is_there else Outcome.QUEUED, made.tracking_number))


def outcomes_of(client: Waybill, event_ids: Sequence[str]) -> Iterator[RowResult | None]:
    """Look up what became of queued events; None for one that is not processed yet.

    Raises:
        WaybillError: Waybill did not answer, or does not let this user in.
    """
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        yield from pool.map(partial(_outcome_of, client), event_ids)


def _outcome_of(client: Waybill, event_id: str) -> RowResult | None:
    try:
        event = client.events.get(event_id)
    except NotFound:
        return None
    if event.outcome == EventOutcome.APPLIED:
        return RowResult(Outcome.APPLIED, event_id)
    said = [str(event.reason or event.outcome)]
    if event.current_status is not None:
        said.append(f"the status is {event.current_status}")
    if event.may_follow:
        said.append(f"next may be {', '.join(event.may_follow)}")
    if event.held_until is not None:
        said.append(f"held until {event.held_until.isoformat()}, in case that this becomes true")
    return RowResult(Outcome.REJECTED, event_id, "; ".join(said))


def _is_about_rows(error: ApiError) -> bool:
    return isinstance(error, BadRequest) or error.code == _NO_SUCH_SOURCE


def _result_of(item: QueuedItem | RejectedItem) -> RowResult:
    if isinstance(item, QueuedItem):
        return RowResult(Outcome.QUEUED, item.event_id)
    return _rejected(problems_text(item.details) or item.error)


def _named(error: ApiError, size: int) -> dict[int, RowResult]:
    """Return the outcomes of the events that an error names."""
    named = problems_by_event(error.details, size)
    return {index: _rejected(problems_text(problems)) for index, problems in named.items()}


def _rejected(error: str) -> RowResult:
    return RowResult(Outcome.REJECTED, error=error)


def problems_text(problems: Iterable[Problem]) -> str:
    """Return the problems of a row, with the names of its columns."""
    named = []
    for each in problems:
        column = within_event(each).pointer.strip("/").replace("/", "_")
        named.append(f"{column} {each.message}".strip())
    return "; ".join(named)


def _error_text(error: ApiError) -> str:
    if error.code == _OTHER_CONTENT:
        return "reference was imported before with other content: the shipment of then stays"
    return problems_text(error.details) or f"{error.message} ({error.code})"
