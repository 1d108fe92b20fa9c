"""The error for a resource that was not found in the caller's scope."""

from collections.abc import Awaitable, Callable

from domain.ports.queries import EVERYTHING, Scope
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
