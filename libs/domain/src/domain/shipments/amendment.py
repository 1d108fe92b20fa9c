"""Merging of an amendment into the fields of a shipment, and the check that dimensions are complete."""

from collections.abc import Mapping
from typing import Any, Final

from domain.shipments.commands import Package, ShipmentChanges

DIMENSIONS: Final = "dimensions"
SIDES: Final = frozenset({"length", "width", "height"})


def amended(description: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a shipment, or earlier changes to them, with later changes merged in.

    An object (`origin`, `destination`, `package`) is merged member by member, another value is replaced.
    """
    result = dict(description)
    for name, change in changes.items():
        result[name] = merged(result.get(name, {}), change) if isinstance(change, dict) else change
    return result


def merged(part: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part of a shipment (`origin`, `destination` or `package`) with the changes merged in.

    Each member replaces the one before; of dimensions, each side does.
    """
    result = {**part, **changes}
    sides = {**part.get(DIMENSIONS, {}), **changes.get(DIMENSIONS, {})}
    if sides:
        result[DIMENSIONS] = sides
    else:
        result.pop(DIMENSIONS, None)
    return result


def has_dimensions(package: Package) -> bool:
    """Say whether a package has dimensions; if it has any, it has all three."""
    return bool(package.get(DIMENSIONS))


def dimensions_after(changes: ShipmentChanges, *, before: bool) -> bool | None:
    """Say whether a shipment has dimensions after `changes`; None: only some, so they must not be applied.

    Args:
        changes: what an amendment says.
        before: whether the shipment has dimensions now.
    """
    sides = changes.get("package", {}).get("dimensions", {}).keys()
    if before or not sides:
        return before
    return True if sides >= SIDES else None
