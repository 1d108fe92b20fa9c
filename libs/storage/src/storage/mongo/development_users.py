"""Development users: created if missing, marked, and rejected in every other environment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain.access.permissions import Role

DEVELOPMENT_PASSWORD: Final = "password123"  # noqa: S105  # everybody may know it: refused outside development


@dataclass(frozen=True, slots=True)
class Seed:
    """A user that every development database has."""

    username: str
    role: Role
    client_id: str | None = None


SEEDS: Final[Sequence[Seed]] = (
    Seed("admin_user", Role.ADMIN),
    Seed("client_user_001", Role.CLIENT, "client_001"),
    Seed("client_user_002", Role.CLIENT, "client_002"),
    Seed("driver_user_001", Role.PRODUCER),
)
