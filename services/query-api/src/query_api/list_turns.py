"""A user's part of what lists cost: so many at once, and as many wait as others do not notice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Final

from aiohttp import web

from domain.errors import ErrorCode
from httpkit.middleware.auth import principal
from httpkit.response.errors import RETRY_SOON, ApiError, Handler

AT_ONCE: Final = 4
WAITING: Final = 32


@dataclass(slots=True)
class _Share:
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    held: int = 0


class ListShares:
    """Lets `AT_ONCE` lists of a user be read at once, so that others find connections to MongoDB."""

    def __init__(self) -> None:
        self._shares: dict[str, _Share] = {}

    @asynccontextmanager
    async def turn(self, user: str) -> AsyncIterator[None]:
        """Wait for a place, and keep it while the context lasts.

        Raises:
            ApiError: 429, `WAITING` lists of this user wait already.
        """
        share = self._shares.setdefault(user, _Share())
        if share.held >= AT_ONCE + WAITING:
            message = f"{share.held} lists of yours are being read: come again in 1 s"
            raise ApiError(ErrorCode.RATE_LIMITED, message, headers=RETRY_SOON)
        share.held += 1
        try:
            async with share.places:
                yield
        finally:
            share.held -= 1
            if not share.held:
                del self._shares[user]


LIST_SHARES: Final = web.AppKey("list_shares", ListShares)


def in_turn(handler: Handler) -> Handler:
    """Return a handler of a list that takes a place of its user's while it reads."""

    @wraps(handler)
    async def read(request: web.Request) -> web.StreamResponse:
        async with request.app[LIST_SHARES].turn(principal(request).subject):
            return await handler(request)

    return read
