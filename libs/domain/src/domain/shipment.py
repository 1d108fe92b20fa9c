"""A shipment's life: `decide` says what a command does to it, `evolve` does it. Pure, both."""

from dataclasses import dataclass

from domain.commands import Command, CreateShipment
from domain.errors import ErrorCode
from domain.identity import EventId
from domain.status import Status, can_follow
from domain.tracking_number import TrackingNumber


@dataclass(frozen=True, slots=True)
class Shipment:
    """What deciding needs to know of a shipment.

    Attributes:
        version: number of changes applied; 1 after the creation.
        applied: ids of the events in its history, oldest first. The state machine has no cycle, so there
            are at most five: an applied event is known from the shipment alone, without another look-up.
    """

    tracking_number: TrackingNumber
    client_id: str
    status: Status
    version: int
    applied: tuple[EventId, ...]


@dataclass(frozen=True, slots=True)
class Created:
    """The shipment exists from now on."""

    event_id: EventId
    tracking_number: TrackingNumber
    client_id: str


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The shipment reached `status`."""

    event_id: EventId
    status: Status


Event = Created | StatusChanged


@dataclass(frozen=True, slots=True)
class Rejected:
    """The rules say no, for `reason`; the shipment stays as it is."""

    reason: ErrorCode


@dataclass(frozen=True, slots=True)
class Repeated:
    """An event with this id stands in the history already; the shipment stays as it is."""


Decision = Event | Rejected | Repeated


def decide(shipment: Shipment | None, command: Command) -> Decision:
    """Say what `command` does to `shipment`, None if there is none yet."""
    if isinstance(command, CreateShipment):
        if shipment is None:
            return Created(command.event_id, command.tracking_number, command.client_id)
        return Repeated()
    if shipment is None:
        return Rejected(ErrorCode.SHIPMENT_NOT_FOUND)
    if command.event_id in shipment.applied:
        return Repeated()
    if can_follow(shipment.status, command.status):
        return StatusChanged(command.event_id, command.status)
    return Rejected(ErrorCode.INVALID_TRANSITION)


def evolve(shipment: Shipment | None, event: Event) -> Shipment:
    """Return the shipment after `event`, which `decide` gave for this very shipment.

    Raises:
        ValueError: a status change of a shipment that does not exist.
    """
    if isinstance(event, Created):
        return Shipment(event.tracking_number, event.client_id, Status.CREATED, 1, (event.event_id,))
    if shipment is None:
        raise ValueError("only a creation can come first")
    return Shipment(
        shipment.tracking_number,
        shipment.client_id,
        event.status,
        shipment.version + 1,
        (*shipment.applied, event.event_id),
    )
