"""Users, in memory."""

from domain.ports import Revocation, RevocationStore, User
from tests.support.fakes.faults import Faults


class InMemoryUserStore(Faults):
    """Keeps users by name."""

    def __init__(self, *users: User, revocations: RevocationStore | None = None) -> None:
        super().__init__()
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

    async def add(self, user: User) -> bool:
        """Add a user; False, and nothing changes, if the name is taken."""
        with self.around("add"):
            if user.username in self._users:
                return False
            self._users[user.username] = user
            return True

    async def replace(self, old: User, new: User, *, revocation: Revocation | None) -> bool:
        """Put `new` in the place of `old`, and record `revocation`."""
        with self.around("replace"):
            if self._users.get(old.username) != old:
                return False
            self._users[old.username] = new
            if revocation is not None and self._revocations is not None:
                await self._revocations.add(revocation)
            return True
