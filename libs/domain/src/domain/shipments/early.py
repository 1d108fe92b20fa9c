"""Early events: held while their shipment may reach their status, released when it can take it (ADR 0024).

Time is that of acceptance, which the log holds: every fold of a log holds and releases the same events.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeGuard

from domain.shipments.commands import Command, ReportStatus
from domain.shipments.event_identity import EventId
from domain.shipments.shipment import HeldEvent, Shipment
from domain.shipments.status import can_follow, can_reach

MAX_HELD: Final = 8
"""Maximum number of events held for one shipment."""


def is_early(command: Command, shipment: Shipment) -> TypeGuard[ReportStatus]:
    """Say whether a rejected command may become legal: its status can be reached, in several steps.

    A command with a condition of its own (a version, an owner) asks about the shipment as it is: it is not.
    """
    return (
        isinstance(command, ReportStatus)
        and command.on_behalf_of is None
        and command.expected_versions is None
        and can_reach(shipment.status, command.status)
        and not can_follow(shipment.status, command.status)
    )


def has_room(shipment: Shipment) -> bool:
    """Say whether one more event can be held for the shipment."""
    return len(shipment.held) < MAX_HELD


def with_held(shipment: Shipment, held: HeldEvent) -> Shipment:
    """Return the shipment with one more held event, the last in the log."""
    return replace(shipment, held=(*shipment.held, held))


def without_held(shipment: Shipment, event_ids: Iterable[EventId]) -> Shipment:
    """Return the shipment without some of its held events."""
    gone = set(event_ids)
    return replace(shipment, held=tuple(each for each in shipment.held if each.command.event_id not in gone))


def held_under(shipment: Shipment, event_id: EventId) -> HeldEvent | None:
    """Return the held event of this id, None if there is none."""
    return next((each for each in shipment.held if each.command.event_id == event_id), None)


def next_legal(shipment: Shipment, accepted_at: datetime) -> HeldEvent | None:
    """Return the first held event in the log that is legal now and has not expired; None if there is none.

    Args:
        shipment: as the releasing event left it.
        accepted_at: when that event was accepted.
    """
    for held in shipment.held:
        if can_follow(shipment.status, held.command.status) and not has_expired(held, accepted_at):
            return held
    return None


def has_expired(held: HeldEvent, accepted_at: datetime) -> bool:
    """Say whether an event that was accepted then comes too late to release the held one."""
    return accepted_at > held.held_until


def is_unreachable(shipment: Shipment, held: HeldEvent) -> bool:
    """Say whether the shipment can never take the status of a held event."""
    return not can_reach(shipment.status, held.command.status)
