"""Revocation of tokens: stored in MongoDB, published to the replicas through Redis, and republished."""

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
    FAST_POLL_S,
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
    """Records revocations and publishes them to every replica of every service."""

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
        self._published_at: datetime | None = None
        self._unpublished = asyncio.Event()

    async def end(self, token: Token) -> None:
        """Revoke one token.

        Raises:
            StoreUnavailable: whether it is revoked is unknown.
        """
        revocation = self._revocation(token_name(token.jti), self._clock.now())
        await self._store.add(revocation)
        await self.announce(revocation)

    def of_user(self, username: str, now: datetime) -> Revocation:
        """Return the revocation of a user's tokens up to `now`; the caller records and announces it."""
        return self._revocation(user_name(username), now)

    def of_all_but(self, token: Token, username: str, now: datetime) -> Sequence[Revocation]:
        """Return the revocation of a user's tokens up to `now` except one; see `of_user`."""
        return self._revocation(user_name(username), now), self._revocation(spared_name(token.jti), now)

    def of_key(self, key_id: str) -> Revocation:
        """Return the revocation of all tokens of an API key; the caller records and announces it."""
        return self._revocation(key_name(key_id), self._clock.now())

    async def announce(self, *revocations: Revocation) -> None:
        """Publish recorded revocations; if Redis is unavailable, `heal` publishes them later."""
        self._known.add(revocations)
        if not await self._feed.publish(revocations):
            self._unpublished.set()

    async def heal(self) -> None:
        """Publish MongoDB's revocations to Redis and this process: recent ones, or all if Redis lost them.

        Raises:
            StoreUnavailable: MongoDB did not respond.
        """
        now, was_unpublished = self._clock.now(), self._unpublished.is_set()
        self._unpublished.clear()
        is_whole = await self._feed.is_whole(since=self._published_at)
        since = None if is_whole is False or self._published_at is None else self._published_at - OVERLAP
        try:
            found = await self._store.since(since)
        except StoreUnavailable:
            # Nothing can be revoked while MongoDB is unavailable, so the published list is still complete.
            if is_whole and self._published_at is not None:
                await self._feed.publish((), as_of=now)
            if was_unpublished:
                self._unpublished.set()
            raise
        self._known.add(found)
        if await self._feed.publish(found, as_of=now, whole=since is None):
            self._published_at = now
        else:
            self._unpublished.set()

    @contextlib.asynccontextmanager
    async def healing(self, *, every_s: float) -> AsyncIterator[None]:
        """Run `heal` in the background while the context lasts."""

        async def heal_forever() -> None:
            while True:
                try:
                    await self.heal()
                except StoreUnavailable as error:
                    _log.warning("revocations_not_read", error=str(error))
                await self._wait(every_s)

        async with in_background(heal_forever(), name="revocation-healing"):
            yield

    async def _wait(self, at_most_s: float) -> None:
        # A list that Redis restores counts as complete, but lacks revocations of the meantime.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._unpublished.wait()
                await asyncio.sleep(FAST_POLL_S)

    def _revocation(self, name: str, now: datetime) -> Revocation:
        # Clocks of replicas differ a little; for a key or a logout this cannot hit a later token by mistake.
        is_user = name.startswith((user_name(""), spared_name("")))
        issued_until = now if is_user else now + timedelta(seconds=2)
        return Revocation(
            name=name, issued_until=issued_until, recorded_at=now, expires_at=now + self._token_ttl
        )
