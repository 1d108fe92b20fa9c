"""Replies to callers that wait for the outcome of an event."""

from domain.ports.core import Reply
from domain.processing.batch import EventRecord, Verdict, conflict_reason


def reply_for(verdict: Verdict, event: EventRecord) -> Reply:
    """Return the reply for a verdict; `event` is the recorded one."""
    return Reply(
        event_id=event.event_id,
        outcome=event.outcome.value,
        reason=conflict_reason(verdict.consumed.command, event) if verdict.is_conflict else event.reason,
        client_id=event.client_id,
        timestamp=event.timestamp,
        status=event.status,
        version=event.version,
        current_status=event.current_status,
        held_until=event.held_until,
    )
