"""Notices to the workers of this replica, so that they need not wait for their next look."""

from typing import Protocol


class Notices(Protocol):
    """Calls after which the workers act at once; without one, they see the change soon by themselves."""

    def endpoint_changed(self) -> None:
        """Take over an endpoint that was created or changed."""

    def endpoint_deleted(self) -> None:
        """Send nothing more to an endpoint that was deleted."""

    def delivery_due(self) -> None:
        """Send what is due."""

    def replay_added(self) -> None:
        """Begin a replay."""
