"""Errors for resources that were not found in the caller's scope."""

from collections.abc import Awaitable, Callable
from functools import partial

from domain.ports.core import ShipmentReader
from domain.ports.queries import EVERYTHING, Scope
from domain.shipments.tracking_number import TrackingNumber
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError


async def not_found_or_forbidden(
    absent: ApiError, scope: Scope, exists_outside: Callable[[Scope], Awaitable[bool]]
) -> ApiError:
    """Return 403 if the resource belongs to another client, and `absent` if it does not exist.

    Args:
        absent: the error if it does not exist.
        scope: the scope that was searched.
        exists_outside: returns whether it exists outside a scope.
    """
    if scope != EVERYTHING and await exists_outside(scope):
        return ApiError(ErrorCode.FORBIDDEN, "this is not yours")
    return absent


async def require_shipment(shipments: ShipmentReader, tracking_number: TrackingNumber, scope: Scope) -> None:
    """Require that a shipment exists in the caller's scope.

    Raises:
        ApiError: 403 if it belongs to another client, 404 if it does not exist.
    """
    if not await shipments.exists(tracking_number, scope):
        raise await absent_shipment(shipments, tracking_number, scope)


async def absent_shipment(
    shipments: ShipmentReader, tracking_number: TrackingNumber, scope: Scope
) -> ApiError:
    """Return the error for a shipment that was not found in the caller's scope."""
    absent = ApiError(ErrorCode.SHIPMENT_NOT_FOUND, f"there is no shipment {tracking_number}")
    return await not_found_or_forbidden(absent, scope, partial(shipments.exists_outside, tracking_number))
