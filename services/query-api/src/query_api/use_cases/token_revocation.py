"""Revoking tokens: MongoDB keeps what is revoked, Redis tells the replicas and is told again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from domain.errors import StoreUnavailable
from domain.ports.core import Clock, Revocation
from domain.ports.revocations import RevocationFeed, RevocationStore
from httpkit.middleware.auth import Token
from httpkit.middleware.revoked_tokens import (
    HURRIED_S,
    Revocations,
    key_name,
    spared_name,
    token_name,
    user_name,
)
from servicekit.background_tasks import in_background

OVERLAP: Final = timedelta(seconds=60)

_log = structlog.get_logger(__name__)


class Revoker:
    """Makes revocations, and sees to it that every replica of every service hears of them."""

    def __init__(
        self,
        store: RevocationStore,
        feed: RevocationFeed,
        known: Revocations,
        *,
        clock: Clock,
        token_ttl_s: int,
    ) -> None:
        self._store = store
        self._feed = feed
        self._known = known
        self._clock = clock
        self._token_ttl = timedelta(seconds=token_ttl_s + 60)  # clocks differ
        self._told_at: datetime | None = None
        self._untold = asyncio.Event()

    async def end(self, token: Token) -> None:
        """Refuse one token from now on.

        Raises:
            StoreUnavailable: it may or may not be refused.
        """
        revocation = self._revocation(token_name(token.jti), self._clock.now())
        await self._store.add(revocation)
        await self.announce(revocation)

    def of_user(self, username: str, now: datetime) -> Revocation:
        """Describe the end of all tokens that a user got until `now`; the caller records and announces it."""
        return self._revocation(user_name(username), now)

    def of_all_but(self, token: Token, username: str, now: datetime) -> Sequence[Revocation]:
        """Describe the end of all tokens that a user got until `now` but of one; as `of_user`."""
        return self._revocation(user_name(username), now), self._revocation(spared_name(token.jti), now)

    def of_key(self, key_id: str) -> Revocation:
        """Describe the end of all tokens of an API key; the caller records and announces it."""
        return self._revocation(key_name(key_id), self._clock.now())

    async def announce(self, *revocations: Revocation) -> None:
        """Tell of revocations that have been recorded; one that Redis misses is told by `heal`."""
        self._known.add(revocations)
        if not await self._feed.publish(revocations):
            self._untold.set()

    async def heal(self) -> None:
        """Tell Redis, and this process, what MongoDB knows: all of it if Redis has forgotten.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        now, was_untold = self._clock.now(), self._untold.is_set()
        self._untold.clear()
        is_whole = await self._feed.is_whole(since=self._told_at)
        since = None if is_whole is False or self._told_at is None else self._told_at - OVERLAP
        try:
            found = await self._store.since(since)
        except StoreUnavailable:
            # Nothing can be ended while MongoDB is away, so what is there is still all there is.
            if is_whole and self._told_at is not None:
                await self._feed.publish((), as_of=now)
            if was_untold:
                self._untold.set()
            raise
        self._known.add(found)
        if await self._feed.publish(found, as_of=now, whole=since is None):
            self._told_at = now
        else:
            self._untold.set()

    @contextlib.asynccontextmanager
    async def healing(self, *, every_s: float) -> AsyncIterator[None]:
        """Heal in the background while the context lasts."""

        async def clear_halt() -> None:
            while True:
                try:
                    await self.heal()
                except StoreUnavailable as error:
                    _log.warning("revocations_not_read", error=str(error))
                await self._wait(every_s)

        async with in_background(clear_halt(), name="revocation-healing"):
            yield

    async def _wait(self, at_most_s: float) -> None:
        # A list that Redis comes back with is taken for whole, and lacks what could not be told meanwhile.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._untold.wait()
                await asyncio.sleep(HURRIED_S)

    def _revocation(self, name: str, now: datetime) -> Revocation:
        # Clocks of replicas differ a little: with a key or a logout no later token can be meant by mistake.
        is_user = name.startswith((user_name(""), spared_name("")))
        issued_until = now if is_user else now + timedelta(seconds=2)
        return Revocation(
            name=name, issued_until=issued_until, recorded_at=now, expires_at=now + self._token_ttl
        )
