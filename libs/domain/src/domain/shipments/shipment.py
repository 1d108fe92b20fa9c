"""The state machine of a shipment: `decide` judges a command, `evolve` applies its event. Both are pure."""

from dataclasses import replace
from datetime import datetime

from domain.shipments.amendment import dimensions_after, has_dimensions
from domain.shipments.commands import (
    AmendShipment,
    Command,
    CreateShipment,
    ReportCheckpoint,
    ReportStatus,
    RetractEvent,
    ShipmentChanges,
)
from domain.shipments.event_identity import EventId
from domain.shipments.rejection import RejectionReason
from domain.shipments.status import Status, can_follow, is_terminal, takes_checkpoints
from domain.shipments.tracking_number import TrackingNumber
from domain.values import value


@value(kw_only=True)
class HeldEvent:
    """An early event, kept until a later one makes it legal (ADR 0024).

    Attributes:
        fingerprint: of its payload.
        offset: of the record that was judged first.
        held_until: an event that was accepted later than this does not release it any more.
    """

    command: ReportStatus
    fingerprint: str
    offset: int
    held_until: datetime


@value()
class Shipment:
    """The state of a shipment that `decide` needs.

    Attributes:
        version: number of changes applied; 1 after the creation.
        applied: ids of the events with a status in its history, oldest first. The state machine has no cycle,
            so there are at most five: an applied event is known from the shipment alone, without another
            look-up. Amendments and checkpoints are not among them: there may be any number, and the audit log
            knows them.
        has_dimensions: the package has its three dimensions; otherwise it has none.
        held: early events, in the order of the log.
        checkpoints: number of checkpoints in its history, those included that are kept no longer.
    """

    tracking_number: TrackingNumber
    client_id: str
    status: Status
    version: int
    applied: tuple[EventId, ...]
    has_dimensions: bool = False
    held: tuple[HeldEvent, ...] = ()
    checkpoints: int = 0


@value()
class Created:
    """The shipment exists from now on."""

    event_id: EventId
    tracking_number: TrackingNumber
    client_id: str
    has_dimensions: bool = False


@value()
class StatusChanged:
    """The shipment reached `status`."""

    event_id: EventId
    status: Status


@value()
class CheckpointPassed:
    """The shipment passed a checkpoint; its status stays."""

    event_id: EventId


@value()
class Amended:
    """The description of the shipment changed."""

    event_id: EventId
    has_dimensions: bool = False


@value()
class Corrected:
    """The last event of the history is taken back.

    Attributes:
        retracts: that event.
        status: the one before it, which holds again; of a checkpoint, the present one.
    """

    event_id: EventId
    retracts: EventId
    status: Status


Event = Created | StatusChanged | CheckpointPassed | Amended | Corrected


@value()
class Rejected:
    """The rules say no, for `reason`; the shipment stays as it is."""

    reason: RejectionReason


@value()
class Repeated:
    """An event with this id is in the history already; the shipment stays as it is."""


Decision = Event | Rejected | Repeated


def decide(shipment: Shipment | None, command: Command) -> Decision:
    """Say what `command` does to `shipment`, None if there is none yet.

    Raises:
        TypeError: a retraction; see `domain.shipments.retraction.decide_retraction`.
    """
    if isinstance(command, RetractEvent):
        raise TypeError("a retraction is not decided by the shipment alone")
    if isinstance(command, CreateShipment):
        if shipment is None:
            return _creation(command)
        return Repeated()
    if shipment is None:
        return Rejected(RejectionReason.SHIPMENT_NOT_FOUND)
    if command.event_id in shipment.applied:
        return Repeated()
    objection = _objection(shipment, command)
    return _change(shipment, command) if objection is None else Rejected(objection)


def evolve(shipment: Shipment | None, event: Event) -> Shipment:
    """Return the shipment after `event`, which `decide` gave for this very shipment.

    Raises:
        ValueError: a change of a shipment that does not exist.
    """
    if isinstance(event, Created):
        return Shipment(
            event.tracking_number,
            event.client_id,
            Status.CREATED,
            1,
            (event.event_id,),
            event.has_dimensions,
        )
    if shipment is None:
        raise ValueError("only a creation can come first")
    if isinstance(event, Amended):
        return replace(shipment, version=shipment.version + 1, has_dimensions=event.has_dimensions)
    if isinstance(event, Corrected):
        return _corrected(shipment, event)
    if isinstance(event, CheckpointPassed):
        return replace(shipment, version=shipment.version + 1, checkpoints=shipment.checkpoints + 1)
    return Shipment(
        shipment.tracking_number,
        shipment.client_id,
        event.status,
        shipment.version + 1,
        (*shipment.applied, event.event_id),
        shipment.has_dimensions,
        shipment.held,
        shipment.checkpoints,
    )


def _corrected(shipment: Shipment, event: Corrected) -> Shipment:
    version = shipment.version + 1
    if event.retracts in shipment.applied:
        return replace(shipment, version=version, status=event.status, applied=shipment.applied[:-1])
    return replace(shipment, version=version, checkpoints=shipment.checkpoints - 1)


def _creation(command: CreateShipment) -> Created:
    return Created(
        command.event_id, command.tracking_number, command.client_id, has_dimensions(command.package)
    )


def _change(
    shipment: Shipment, command: ReportStatus | ReportCheckpoint | AmendShipment
) -> StatusChanged | CheckpointPassed | Amended:
    if isinstance(command, AmendShipment):
        return Amended(
            command.event_id, bool(dimensions_after(command.changes, before=shipment.has_dimensions))
        )
    if isinstance(command, ReportCheckpoint):
        return CheckpointPassed(command.event_id)
    return StatusChanged(command.event_id, command.status)


def _objection(
    shipment: Shipment, command: ReportStatus | ReportCheckpoint | AmendShipment
) -> RejectionReason | None:
    """Return why `command` is rejected, None if it is not: a client changes its own, while it is `created`.

    Ownership comes first, so that nobody learns the version of another client's shipment. The version comes
    before the transition: a caller with an outdated version learns that, not which transition is forbidden.
    """
    client = command.on_behalf_of
    if client is not None and client != shipment.client_id:
        return RejectionReason.FORBIDDEN
    if command.expected_versions is not None and shipment.version not in command.expected_versions:
        return RejectionReason.PRECONDITION_FAILED
    if client is not None and shipment.status is not Status.CREATED:
        return RejectionReason.INVALID_TRANSITION
    if isinstance(command, AmendShipment):
        return _objection_to_amending(shipment, command.changes)
    if isinstance(command, ReportCheckpoint):
        is_legal = takes_checkpoints(shipment.status)
    else:
        is_legal = can_follow(shipment.status, command.status)
    return None if is_legal else RejectionReason.INVALID_TRANSITION


def _objection_to_amending(shipment: Shipment, changes: ShipmentChanges) -> RejectionReason | None:
    if is_terminal(shipment.status):
        return RejectionReason.INVALID_TRANSITION
    if dimensions_after(changes, before=shipment.has_dimensions) is None:
        return RejectionReason.INCOMPLETE_DIMENSIONS
    return None
