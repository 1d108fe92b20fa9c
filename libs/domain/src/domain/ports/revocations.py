"""Ports of ending tokens before their time; `StoreUnavailable` may be raised where nothing else is said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.ports.core import Revocation


class RevocationStore(Protocol):
    """Keeps revocations until they have done their work."""

    async def add(self, revocation: Revocation) -> None:
        """Record a revocation, in the place of an older one of that name."""

    async def since(self, instant: datetime | None) -> list[Revocation]:
        """Return those recorded at `instant` or later; None: all of them."""


@dataclass(frozen=True, slots=True)
class RevocationNews:
    """What a feed of revocations tells.

    Attributes:
        whole_at: when somebody last saw to it that all are there; None where they are not, where nothing can
            be added, or where that cannot be asked.
    """

    revocations: Sequence[Revocation] = ()
    whole_at: datetime | None = None


class RevocationFeed(Protocol):
    """Tells every replica of revocations. A hint that may forget; its calls never raise."""

    async def is_whole(self, *, since: datetime | None = None) -> bool | None:
        """Say whether all revocations are there, as somebody saw to at `since` or later.

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
