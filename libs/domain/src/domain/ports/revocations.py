"""Ports of token revocation; `StoreUnavailable` may be raised unless documented otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.ports.core import Revocation


class RevocationStore(Protocol):
    """The store of revocations, kept until their tokens have expired."""

    async def add(self, revocation: Revocation) -> None:
        """Record a revocation, replacing an older one of that name."""

    async def since(self, instant: datetime | None) -> list[Revocation]:
        """Return those recorded at `instant` or later; None: all of them."""


@dataclass(frozen=True, slots=True)
class RevocationNews:
    """News from a feed of revocations.

    Attributes:
        whole_at: when the feed was last known to be complete; None where it is not, takes no writes, or
            cannot be reached.
    """

    revocations: Sequence[Revocation] = ()
    whole_at: datetime | None = None


class RevocationFeed(Protocol):
    """Publishes revocations to every replica. Best effort: it may forget; its calls never raise."""

    async def is_whole(self, *, since: datetime | None = None) -> bool | None:
        """Say whether the feed is complete, as of `since` or later.

        Returns:
            None when it cannot be reached.
        """

    async def publish(
        self, revocations: Sequence[Revocation], *, as_of: datetime | None = None, whole: bool = False
    ) -> bool:
        """Add revocations.

        Args:
            revocations: what to add.
            as_of: with these, all that were made until then are there, if the others still are.
            whole: with these alone, all are there.

        Returns:
            False when it cannot be reached, or takes no writes.
        """

    async def news(self) -> RevocationNews:
        """Return what may be new since the last call, some of it again; nothing when out of reach."""
