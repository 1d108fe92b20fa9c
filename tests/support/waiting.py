"""Wait for a condition with a deadline; the only place where tests poll."""

import asyncio
from collections.abc import Awaitable, Callable

POLL_S = 0.01


async def wait_until(condition: Callable[[], bool], *, timeout_s: float = 5.0, what: str = "") -> None:
    """Return as soon as `condition` holds.

    Raises:
        TimeoutError: it did not in time; `what` says what was waited for.
    """

    async def ask() -> bool:
        return condition()

    await wait_for(ask, timeout_s=timeout_s, what=what)


async def wait_for(
    condition: Callable[[], Awaitable[bool]], *, timeout_s: float = 10.0, what: str = ""
) -> None:
    """Return as soon as `condition`, an awaitable check, holds; see `wait_until`."""
    try:
        async with asyncio.timeout(timeout_s):
            while not await condition():  # noqa: ASYNC110  # whatever is waited for has no event to offer
                await asyncio.sleep(POLL_S)
    except TimeoutError as error:
        raise TimeoutError(f"not within {timeout_s:g} s: {what or 'the condition'}") from error
