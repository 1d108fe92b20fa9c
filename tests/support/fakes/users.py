"""Users, in memory."""

from domain.ports import User
from tests.support.fakes.faults import Faults


class InMemoryUserStore(Faults):
    """Keeps users by name."""

    def __init__(self, *users: User) -> None:
        super().__init__()
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
