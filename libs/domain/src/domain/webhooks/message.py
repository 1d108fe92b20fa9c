"""Messages: what endpoints are sent about changes of shipments, and under which types."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from domain.shipments.event_identity import API_SOURCE
from domain.shipments.status import Status
from domain.timestamps import format_timestamp
from domain.values import value

CREATED: Final = "shipment.created"
CHECKPOINT: Final = "shipment.checkpoint"
AMENDED: Final = "shipment.amended"
CORRECTED: Final = "shipment.corrected"
TEST: Final = "webhook.test"
"""Type of the message that an endpoint is tested with; nobody subscribes to it."""

MESSAGE_TYPES: Final = (*(f"shipment.{status}" for status in Status), CHECKPOINT, AMENDED, CORRECTED)


@value(kw_only=True)
class Change:
    """A published change of a shipment, as far as messages tell of it.

    Attributes:
        change_id: the id of its event; the same whenever the change is published.
        version: the shipment's after the change.
        current_status: the shipment's after the change.
        previous_status: the shipment's before it; None before its creation, and where that is not known.
        timestamp: when it happened.
        source: the device or place that saw it.
        checkpoint: code of a checkpoint; None of every other change.
        changes: what an amendment changed; None of every other change.
        retracts: the event that a correction takes back, and `reason`, why; None of every other change.
    """

    change_id: str
    tracking_number: str
    client_id: str
    version: int
    current_status: Status
    previous_status: Status | None
    timestamp: datetime
    source: str = API_SOURCE
    location: Mapping[str, Any] | None = None
    notes: str | None = None
    checkpoint: str | None = None
    changes: Mapping[str, Any] | None = None
    retracts: str | None = None
    reason: str | None = None

    @property
    def type(self) -> str:
        """The type of its message."""
        if self.retracts is not None:
            return CORRECTED
        if self.changes is not None:
            return AMENDED
        if self.checkpoint is not None:
            return CHECKPOINT
        return status_type(self.current_status)


def status_type(status: Status) -> str:
    """Return the type of the message about a shipment that has reached `status`."""
    return f"shipment.{status}"


def full_body(change: Change) -> dict[str, Any]:
    """Return the body of a message with all of a change."""
    return _body(
        change,
        {
            "tracking_number": change.tracking_number,
            "client_id": change.client_id,
            "version": change.version,
            "current_status": change.current_status.value,
            "previous_status": None if change.previous_status is None else change.previous_status.value,
            "event": _event(change),
        },
    )


def thin_body(change: Change) -> dict[str, Any]:
    """Return the body of a message that says only which shipment changed, and its version."""
    return _body(change, {"tracking_number": change.tracking_number, "version": change.version})


def _body(change: Change, data: dict[str, Any]) -> dict[str, Any]:
    return {"type": change.type, "timestamp": format_timestamp(change.timestamp), "data": data}


def _event(change: Change) -> dict[str, Any]:
    event: dict[str, Any] = {
        "event_id": change.change_id,
        "status": change.current_status.value,
        "timestamp": format_timestamp(change.timestamp),
        "source": change.source,
        "location": change.location,
        "notes": change.notes,
    }
    for name in ("checkpoint", "changes", "retracts", "reason"):
        given = getattr(change, name)
        if given is not None:
            event[name] = given
    return event
