"""The status of a shipment before a change, which the change feed tells.

The table of transitions determines it for nearly every change. It is recorded for the others alone, so that
ordinary events are stored as they were.
"""

from domain.processing.batch import EventRecord
from domain.shipments.commands import (
    AmendShipment,
    Command,
    ReportCheckpoint,
    ReportStatus,
    RetractEvent,
)
from domain.shipments.status import Status, predecessor


def previous_status(command: Command, record: EventRecord) -> Status | None:
    """Return the status of a shipment before an applied command.

    Returns:
        None for a creation, and where an earlier release has not recorded it.
    """
    if record.previous_status is not None:
        return record.previous_status
    if isinstance(command, ReportStatus):
        return predecessor(command.status)
    return record.status if isinstance(command, ReportCheckpoint | AmendShipment) else None


def status_to_record(command: Command, before: Status | None) -> Status | None:
    """Return the status before an applied command if the command alone does not determine it, else None."""
    is_open = isinstance(command, ReportStatus) and predecessor(command.status) is None
    return before if is_open or isinstance(command, RetractEvent) else None
