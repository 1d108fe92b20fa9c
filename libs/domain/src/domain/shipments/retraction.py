"""Retractions: which event can be taken back, by whom, and what holds then. Pure (ADR 0025)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from domain.shipments.commands import RetractEvent
from domain.shipments.event_identity import EventId
from domain.shipments.rejection import RejectionReason
from domain.shipments.shipment import Corrected, Rejected, Shipment
from domain.shipments.status import Status
from domain.values import value

OWN_WITHIN: Final = timedelta(hours=24)
"""Time from the acceptance of an event during which the user who sent it may retract it."""


@value()
class HistoryEntry:
    """One entry of a shipment's history, the newest last: an applied status or checkpoint.

    Attributes:
        status: the one that it made, or that held.
    """

    event_id: EventId
    status: Status


@value()
class Retractable:
    """An event that is to be retracted, as it is recorded: who sent it, and when it was accepted."""

    submitted_by: str | None
    received_at: datetime | None


def decide_retraction(
    shipment: Shipment | None,
    history: Sequence[HistoryEntry],
    command: RetractEvent,
    retracted: Retractable | None,
) -> Corrected | Rejected:
    """Say whether an event is taken back.

    Ownership comes first, so that nobody learns the history of a shipment from another one's events.

    Args:
        shipment: None if there is none.
        history: its standing entries, the creation first.
        command: the retraction.
        retracted: the event that it names, None if there is none.
    """
    if shipment is None or retracted is None:
        return Rejected(RejectionReason.EVENT_NOT_FOUND)
    if command.reported_by is not None and not _is_own(command, retracted):
        return Rejected(RejectionReason.FORBIDDEN)
    if len(history) < 2 or history[-1].event_id != command.retracts:  # noqa: PLR2004  # the creation stays
        return Rejected(RejectionReason.NOT_THE_LATEST)
    return Corrected(command.event_id, command.retracts, history[-2].status)


def _is_own(command: RetractEvent, retracted: Retractable) -> bool:
    if retracted.submitted_by != command.reported_by or retracted.received_at is None:
        return False
    return command.received_at - retracted.received_at <= OWN_WITHIN
