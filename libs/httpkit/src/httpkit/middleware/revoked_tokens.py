"""Which tokens are refused before their time: a small set in memory, kept up to date in the background.

A request costs two or three look-ups in a dictionary and no round trip. While Redis is away the last known
set stands, for a bounded time in the place of one that is not there; the query API, which has them from
MongoDB too, goes on learning.
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
HURRIED_S: Final = 1.0
SILENCE_S: Final = 3600.0
"""So long may nobody look after the list: queries may be down, and events come in all the same."""


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
    """Name the one token that what ends all tokens of its user until then does not end."""
    return f"spared:{jti}"


def names_of(jti: str, subject: str) -> Sequence[str]:
    """Return the names under which a token may have been revoked; its `jti` starts with its API key's id."""
    key_id, separator, _ = jti.partition(KEY_SEPARATOR)
    names = (token_name(jti), user_name(subject))
    return (*names, key_name(key_id)) if separator else names


class Revocations:
    """The revocations that this process knows of, and until when it knows of all of them.

    A process that has no other source may be given a bound: when it has not known the whole list for that
    long, it believes only tokens younger than that, whose users were let in so recently. So no token is
    believed for longer than the bound after its end, and whoever may still log in goes on (ADR 0018).
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
        """Whether the process is so young that the list may be there in a moment."""
        return self._clock() - self._started_at < STARTING_S

    @property
    def is_current(self) -> bool:
        """Whether the list was whole at the last look; without a bound, it need not be."""
        return self._bound_s is None or self._is_current

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
            if found is not None and issued_at <= found[0] and not self._is_spared(names, name, found[0]):
                return True
        return False

    def can_tell(self, issued_at: float) -> bool:
        """Say whether enough is known to believe a token that was issued then and is not covered."""
        if self._bound_s is None:
            return True
        return max(self._whole_at, issued_at) >= self._clock() - self._bound_s

    @contextlib.asynccontextmanager
    async def following(self, feed: RevocationFeed, *, every_s: float) -> AsyncIterator[None]:
        """Learn what the feed tells: once before the body runs, then in the background while it does."""
        await self._learn(feed)

        async def follow() -> None:
            while True:
                await asyncio.sleep(every_s if self.is_current else min(every_s, HURRIED_S))
                await self._learn(feed)

        async with in_background(follow(), name="revocations"):
            yield

    async def _learn(self, feed: RevocationFeed) -> None:
        asked_at = self._clock()
        news = await feed.news()
        self.add(news.revocations)
        # As long as the list takes writes, whoever ends a token has written it there: only when nobody has
        # looked after the list for long may there be somebody who cannot reach it.
        silent_at = float("-inf") if news.whole_at is None else news.whole_at.timestamp() + SILENCE_S
        self._is_current = asked_at <= silent_at
        self._whole_at = max(self._whole_at, min(asked_at, silent_at))

    def _is_spared(self, names: Sequence[str], name: str, issued_until: float) -> bool:
        if not name.startswith(user_name("")):
            return False
        spared = self._known.get(spared_name(names[0].removeprefix(token_name(""))))
        return spared is not None and issued_until <= spared[0]
