"""What those who wait for their event are told."""

from domain.ports.core import Reply
from domain.processing.batch import EventRecord, Verdict, conflict_reason


def answer_to(verdict: Verdict, event: EventRecord) -> Reply:
    """Return the answer to a delivery; `event` is the one that stands."""
    return Reply(
        event_id=event.event_id,
        outcome=event.outcome.value,
        reason=conflict_reason(verdict.delivery.command, event) if verdict.is_conflict else event.reason,
        client_id=event.client_id,
        timestamp=event.timestamp,
        status=event.status,
        version=event.version,
    )
