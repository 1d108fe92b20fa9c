"""Notices to the workers of this replica, so that they need not wait for their next look."""

from dataclasses import dataclass
from typing import Protocol


class Notices(Protocol):
    """Calls after which the workers act at once; without one, they see the change soon by themselves."""

    def endpoints_changed(self) -> None:
        """Take over which endpoints there are."""

    def wake(self) -> None:
        """Send what is due."""


@dataclass(frozen=True, slots=True)
class NoWorkers:
    """`Notices` of a process that has none."""

    def endpoints_changed(self) -> None:
        """See `Notices.endpoints_changed`."""

    def wake(self) -> None:
        """See `Notices.wake`."""
