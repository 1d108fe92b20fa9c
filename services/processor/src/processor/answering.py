"""What those who wait for their event are told."""

from domain.batch import EventRecord, Verdict
from domain.commands import CreateShipment
from domain.errors import ErrorCode
from domain.ports import Answer


def answer_to(verdict: Verdict, event: EventRecord) -> Answer:
    """Return the answer to a delivery; `event` is the one that stands."""
    return Answer(
        event_id=event.event_id,
        outcome=event.outcome.value,
        reason=_conflict(verdict, event) if verdict.is_conflict else event.reason,
        client_id=event.client_id,
        timestamp=event.timestamp,
        status=event.status,
        version=event.version,
    )


def _conflict(verdict: Verdict, event: EventRecord) -> ErrorCode:
    command = verdict.delivery.command
    if not isinstance(command, CreateShipment):
        return ErrorCode.IDEMPOTENCY_CONFLICT
    same_request = command.request_key is not None and command.request_key == event.request_key
    return ErrorCode.IDEMPOTENCY_CONFLICT if same_request else ErrorCode.TRACKING_NUMBER_TAKEN
