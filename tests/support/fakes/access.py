"""API keys and revocations, in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from domain.access.accounts import ApiKey, User
from domain.access.operator_actions import OperatorAction
from domain.ports.core import Revocation
from domain.ports.revocations import RevocationNews
from tests.support.fakes.actions import InMemoryActionLog
from tests.support.fakes.users import InMemoryUserStore


class InMemoryRevocationStore:
    """Revocations by name."""

    def __init__(self) -> None:
        self.recorded: dict[str, Revocation] = {}

    async def add(self, revocation: Revocation) -> None:
        self.recorded[revocation.name] = revocation

    async def since(self, instant: datetime | None) -> list[Revocation]:
        return [each for each in self.recorded.values() if instant is None or each.recorded_at >= instant]


class InMemoryApiKeyStore:
    """API keys by user, beside the users."""

    def __init__(
        self,
        users: InMemoryUserStore,
        revocations: InMemoryRevocationStore,
        actions: InMemoryActionLog | None = None,
    ) -> None:
        self._users = users
        self._actions = actions or InMemoryActionLog()
        self._revocations = revocations
        self._keys: dict[str, list[ApiKey]] = {}

    async def add(self, username: str, key: ApiKey, *, most: int, action: OperatorAction) -> bool:
        kept = self._keys.setdefault(username, [])
        if len(kept) >= most or await self._users.find(username) is None:
            return False
        kept.append(key)
        await self._actions.note(action)
        return True

    async def of_user(self, username: str) -> list[ApiKey]:
        return list(self._keys.get(username, ()))

    async def find(self, key_id: str) -> tuple[User, ApiKey] | None:
        for username, keys in self._keys.items():
            user = await self._users.find(username)
            for key in keys:
                if user is not None and key.key_id == key_id:
                    return user, key
        return None

    async def remove(
        self, username: str, key_id: str, *, revocation: Revocation, action: OperatorAction
    ) -> bool:
        kept = self._keys.get(username, [])
        self._keys[username] = [key for key in kept if key.key_id != key_id]
        if len(self._keys[username]) == len(kept):
            return False
        await self._revocations.add(revocation)
        await self._actions.note(action)
        return True

    async def touch(self, key_id: str, *, at: datetime) -> None:
        for username, keys in self._keys.items():
            self._keys[username] = [
                replace(key, last_used_at=max(at, key.last_used_at or at)) if key.key_id == key_id else key
                for key in keys
            ]


class InMemoryRevocationFeed:
    """A feed that returns everything published; may be made unreachable, and may forget."""

    def __init__(self) -> None:
        self.reachable = True
        self._published: dict[str, Revocation] = {}
        self._whole_at: datetime | None = None

    def forget(self) -> None:
        """Drop everything, as after FLUSHALL."""
        self._published, self._whole_at = {}, None

    async def is_whole(self, *, since: datetime | None = None) -> bool | None:
        if not self.reachable:
            return None
        return self._whole_at is not None and (since is None or self._whole_at >= since)

    async def publish(
        self, revocations: Sequence[Revocation], *, as_of: datetime | None = None, whole: bool = False
    ) -> bool:
        if not self.reachable:
            return False
        self._published |= {each.name: each for each in revocations}
        if whole or self._whole_at is not None:
            self._whole_at = as_of or self._whole_at
        return True

    async def news(self) -> RevocationNews:
        return (
            RevocationNews(list(self._published.values()), self._whole_at)
            if self.reachable
            else RevocationNews()
        )
