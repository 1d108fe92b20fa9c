"""Amendments of a batch as an update of a shipment's document."""

from collections.abc import Iterable
from typing import Any

from domain.processing.batch import ConsumedCommand
from domain.shipments.amendment import DIMENSIONS, SIDES, amended
from domain.shipments.commands import AmendShipment

Document = dict[str, Any]


def amendments_in(applied: Iterable[ConsumedCommand]) -> Document:
    """Merge the amendments of a batch into one: MongoDB rejects a path together with one below it."""
    changes: Document = {}
    for consumed in applied:
        if isinstance(consumed.command, AmendShipment):
            changes = amended(changes, consumed.command.changes)
    return changes


def amended_members(changes: Document) -> Document:
    """Return the values that an amendment sets, by path; other fields stay, unread."""
    fields: Document = {}
    for name, change in changes.items():
        if not isinstance(change, dict):
            fields[name] = change
            continue
        for member, value in change.items():
            if member == DIMENSIONS and value.keys() < SIDES:
                fields |= {f"{name}.{member}.{side}": length for side, length in value.items()}
            else:
                fields[f"{name}.{member}"] = value
    return fields
