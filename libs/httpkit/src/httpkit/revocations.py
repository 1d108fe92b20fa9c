"""Which tokens are refused before their time: a small set in memory, kept up to date in the background.

A request costs two or three look-ups in a dictionary and no round trip. While Redis is away the last known
set stands; the query API, which has them from MongoDB too, goes on learning.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from background.tasks import in_background
from domain.ports import Revocation, RevocationFeed

KEY_SEPARATOR = "."


def token_name(jti: str) -> str:
    """Name one token in a `Revocation`."""
    return f"jti:{jti}"


def user_name(subject: str) -> str:
    """Name all tokens of a user in a `Revocation`."""
    return f"sub:{subject}"


def key_name(key_id: str) -> str:
    """Name all tokens that an API key was exchanged for in a `Revocation`."""
    return f"key:{key_id}"


def names_of(jti: str, subject: str) -> Sequence[str]:
    """Return the names under which a token may have been revoked; its `jti` starts with its API key's id."""
    key_id, separator, _ = jti.partition(KEY_SEPARATOR)
    names = (token_name(jti), user_name(subject))
    return (*names, key_name(key_id)) if separator else names


class Revocations:
    """The revocations that this process knows of."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._known: dict[str, tuple[float, float]] = {}

    def add(self, revocations: Iterable[Revocation]) -> None:
        """Take more in, and forget those that have done their work."""
        for each in revocations:
            issued_until, expires_at = each.issued_until.timestamp(), each.expires_at.timestamp()
            known = self._known.get(each.name, (issued_until, expires_at))
            self._known[each.name] = max(issued_until, known[0]), max(expires_at, known[1])
        now = self._clock()
        for name in [name for name, (_, expires_at) in self._known.items() if expires_at < now]:
            del self._known[name]

    def cover(self, names: Sequence[str], issued_at: float) -> bool:
        """Say whether a token of these names, issued then, is revoked."""
        if not self._known:
            return False
        for name in names:
            found = self._known.get(name)
            if found is not None and issued_at <= found[0]:
                return True
        return False

    @contextlib.asynccontextmanager
    async def following(self, feed: RevocationFeed, *, every_s: float) -> AsyncIterator[None]:
        """Learn what the feed tells: once before the body runs, then in the background while it does."""
        self.add(await feed.news())

        async def follow() -> None:
            while True:
                await asyncio.sleep(every_s)
                self.add(await feed.news())

        async with in_background(follow(), name="revocations"):
            yield
