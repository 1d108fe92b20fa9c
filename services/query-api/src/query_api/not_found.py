"""What is said of something that was not found in the caller's scope."""

from collections.abc import Awaitable, Callable

from domain.errors import ErrorCode
from domain.ports.queries import EVERYTHING, Scope
from httpkit.response.errors import ApiError


async def not_found_or_forbidden(
    absent: ApiError, scope: Scope, exists_outside: Callable[[Scope], Awaitable[bool]]
) -> ApiError:
    """Return 403 for what is somebody else's, and `absent` for what is nobody's.

    Args:
        absent: what to say if there is no such thing at all.
        scope: where it was looked for.
        exists_outside: looks for it elsewhere; what has just been created is not somebody else's.
    """
    if scope != EVERYTHING and await exists_outside(scope):
        return ApiError(ErrorCode.FORBIDDEN, "this is not yours")
    return absent
