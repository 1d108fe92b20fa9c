"""Revoked tokens: a small set in memory, updated in the background.

A request costs two or three look-ups in a dictionary and no round trip. While Redis is unavailable the last
known set is used, for a bounded time; the query API, which reads them from MongoDB too, continues to update.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Final

from domain.ports.core import Revocation
from domain.ports.revocations import RevocationFeed
from servicekit.background_tasks import in_background

KEY_SEPARATOR = "."
STARTING_S: Final = 30.0
FAST_POLL_S: Final = 1.0
SILENCE_S: Final = 3600.0
"""How long the list may go without maintenance: query-api may be down while events are still accepted."""


def token_name(jti: str) -> str:
    """Name one token in a `Revocation`."""
    return f"jti:{jti}"


def user_name(subject: str) -> str:
    """Name all tokens of a user in a `Revocation`."""
    return f"sub:{subject}"


def key_name(key_id: str) -> str:
    """Name all tokens that an API key was exchanged for in a `Revocation`."""
    return f"key:{key_id}"


def spared_name(jti: str) -> str:
    """Name the one token that a revocation of all tokens of its user leaves valid."""
    return f"spared:{jti}"


def names_of(jti: str, subject: str) -> Sequence[str]:
    """Return the names under which a token may have been revoked; its `jti` starts with its API key's id."""
    key_id, separator, _ = jti.partition(KEY_SEPARATOR)
    names = (token_name(jti), user_name(subject))
    return (*names, key_name(key_id)) if separator else names


class Revocations:
    """The revocations known to this process, and the time until which they are complete.

    A process without another source may have a bound: once its list has been incomplete for that long, it
    accepts only tokens that are younger than the bound. So no token is accepted for longer than the bound
    after its revocation, and users who can still log in continue to work (ADR 0018).
    """

    def __init__(self, *, clock: Callable[[], float] = time.time, bound_s: float | None = None) -> None:
        self._clock = clock
        self._bound_s = bound_s
        self._started_at = clock()
        self._whole_at = float("-inf")
        self._is_current = False
        self._known: dict[str, tuple[float, float]] = {}

    @property
    def is_starting(self) -> bool:
        """True while the process is so young that the list may arrive in a moment."""
        return self._clock() - self._started_at < STARTING_S

    @property
    def is_current(self) -> bool:
        """True if the list was complete at the last poll; without a bound, always."""
        return self._bound_s is None or self._is_current

    def add(self, revocations: Iterable[Revocation]) -> None:
        """Add revocations, and drop those whose tokens have expired."""
        for each in revocations:
            issued_until, expires_at = each.issued_until.timestamp(), each.expires_at.timestamp()
            known = self._known.get(each.name, (issued_until, expires_at))
            self._known[each.name] = max(issued_until, known[0]), max(expires_at, known[1])
        now = self._clock()
        for name in [name for name, (_, expires_at) in self._known.items() if expires_at < now]:
            del self._known[name]

    def cover(self, names: Sequence[str], issued_at: float) -> bool:
        """Return whether a token of these names, issued at that time, is revoked."""
        if not self._known:
            return False
        for name in names:
            found = self._known.get(name)
            if found is not None and issued_at <= found[0] and not self._is_spared(names, name, found[0]):
                return True
        return False

    def can_decide(self, issued_at: float) -> bool:
        """Return whether the list is recent enough to accept a token issued at that time."""
        if self._bound_s is None:
            return True
        return max(self._whole_at, issued_at) >= self._clock() - self._bound_s

    @contextlib.asynccontextmanager
    async def following(self, feed: RevocationFeed, *, every_s: float) -> AsyncIterator[None]:
        """Poll the feed once before the body runs, then in the background while it does."""
        await self._learn(feed)

        async def follow() -> None:
            while True:
                await asyncio.sleep(every_s if self.is_current else min(every_s, FAST_POLL_S))
                await self._learn(feed)

        async with in_background(follow(), name="revocations"):
            yield

    async def _learn(self, feed: RevocationFeed) -> None:
        asked_at = self._clock()
        news = await feed.news()
        self.add(news.revocations)
        # As long as the list accepts writes, every revocation is written there: only when it has not been
        # maintained for long may a writer be unable to reach it.
        silent_at = float("-inf") if news.whole_at is None else news.whole_at.timestamp() + SILENCE_S
        self._is_current = asked_at <= silent_at
        self._whole_at = max(self._whole_at, min(asked_at, silent_at))

    def _is_spared(self, names: Sequence[str], name: str, issued_until: float) -> bool:
        if not name.startswith(user_name("")):
            return False
        spared = self._known.get(spared_name(names[0].removeprefix(token_name(""))))
        return spared is not None and issued_until <= spared[0]
