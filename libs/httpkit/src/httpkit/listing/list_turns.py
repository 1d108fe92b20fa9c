"""Limit of concurrent lists per user, so that one user cannot occupy the connections to MongoDB."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Final

from aiohttp import web

from httpkit.middleware.auth import principal
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import RETRY_SOON, ApiError, Handler

AT_ONCE: Final = 4
WAITING: Final = 32


@dataclass(slots=True)
class _UserSlots:
    semaphore: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    held: int = 0


class ListSlots:
    """Limiter of `AT_ONCE` concurrent lists per user."""

    def __init__(self) -> None:
        self._by_user: dict[str, _UserSlots] = {}

    @asynccontextmanager
    async def turn(self, user: str) -> AsyncIterator[None]:
        """Wait for a slot, and hold it while the context lasts.

        Raises:
            ApiError: 429, `WAITING` lists of this user wait already.
        """
        slots = self._by_user.setdefault(user, _UserSlots())
        if slots.held >= AT_ONCE + WAITING:
            message = f"{slots.held} lists of yours are being read: come again in 1 s"
            raise ApiError(ErrorCode.RATE_LIMITED, message, headers=RETRY_SOON)
        slots.held += 1
        try:
            async with slots.semaphore:
                yield
        finally:
            slots.held -= 1
            if not slots.held:
                del self._by_user[user]


LIST_SLOTS: Final = web.AppKey("list_slots", ListSlots)


def in_turn(handler: Handler) -> Handler:
    """Return a handler that holds a slot of its user while it reads a list."""

    @wraps(handler)
    async def read(request: web.Request) -> web.StreamResponse:
        async with request.app[LIST_SLOTS].turn(principal(request).subject):
            return await handler(request)

    return read
