"""Users, in memory."""

from collections.abc import Sequence

from domain.access.accounts import User, is_active_admin
from domain.access.operator_actions import OperatorAction
from domain.errors import LastAdmin
from domain.ports.core import Revocation
from domain.ports.revocations import RevocationStore
from tests.support.fakes.actions import InMemoryActionLog
from tests.support.fakes.faults import Faults


class InMemoryUserStore(Faults):
    """Keeps users by name."""

    def __init__(
        self,
        *users: User,
        revocations: RevocationStore | None = None,
        actions: InMemoryActionLog | None = None,
    ) -> None:
        super().__init__()
        self._actions = actions or InMemoryActionLog()
        self._revocations = revocations
        self._users = {user.username: user for user in users}

    async def find(self, username: str) -> User | None:
        """Return the user of that name, or None."""
        with self.around("find"):
            return self._users.get(username)

    async def page(self, *, limit: int, offset: int) -> tuple[list[User], int]:
        """Return users by name, and how many there are."""
        with self.around("page"):
            by_name = sorted(self._users.values(), key=lambda user: user.username)
            return by_name[offset : offset + limit], len(by_name)

    async def add(self, user: User, *, action: OperatorAction | None = None) -> bool:
        """Add a user and note the action; False, and nothing changes, if the name is taken."""
        with self.around("add"):
            if user.username in self._users:
                return False
            self._users[user.username] = user
            if action is not None:
                await self._actions.note(action)
            return True

    async def replace(
        self, old: User, new: User, *, revocations: Sequence[Revocation], action: OperatorAction
    ) -> bool:
        """Put `new` in the place of `old`, record `revocations` and note `action`."""
        with self.around("replace"):
            if self._users.get(old.username) != old:
                return False
            admins = {each.username for each in self._users.values() if _is_admin(each)}
            if admins == {old.username} and not _is_admin(new):
                raise LastAdmin("this is the last admin who may log in")
            self._users[old.username] = new
            if self._revocations is not None:
                for revocation in revocations:
                    await self._revocations.add(revocation)
            await self._actions.note(action)
            return True


def _is_admin(user: User) -> bool:
    return is_active_admin(user, development=False)
