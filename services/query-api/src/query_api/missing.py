"""What is said of something that was not found in the caller's scope."""

from collections.abc import Awaitable, Callable

from domain.errors import ErrorCode
from domain.reading import EVERYTHING, Scope
from httpkit.errors import ApiError


async def foreign_or(absent: ApiError, scope: Scope, exists: Callable[[], Awaitable[bool]]) -> ApiError:
    """Return 403 for what is somebody else's, and `absent` for what is nobody's.

    Args:
        absent: what to say if there is no such thing at all.
        scope: where it was looked for.
        exists: looks for it everywhere; asked only where `scope` was not everything.
    """
    if scope != EVERYTHING and await exists():
        return ApiError(ErrorCode.FORBIDDEN, "this is not yours")
    return absent
