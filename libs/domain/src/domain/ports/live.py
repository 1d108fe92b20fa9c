"""Ports of live streams: the current status of shipments, and its changes as they happen."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from domain.ports.queries import EVERYTHING, Scope
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber


@dataclass(frozen=True, slots=True)
class CurrentStatus:
    """The status of a shipment, and the version that has it."""

    version: int
    status: Status


StatusListener = Callable[[CurrentStatus], None]
"""Receives statuses of one shipment; versions may be left out, and may be repeated."""


class StatusReader(Protocol):
    """Reader of current statuses."""

    async def current(
        self, tracking_numbers: Collection[TrackingNumber], scope: Scope = EVERYTHING
    ) -> Mapping[TrackingNumber, CurrentStatus]:
        """Return the current status of each shipment that exists in the scope.

        Raises:
            StoreUnavailable: the store cannot be reached.
        """


class StatusChanges(Protocol):
    """The changes of shipments, as they happen."""

    def listening(
        self, tracking_number: TrackingNumber, listener: StatusListener
    ) -> AbstractContextManager[None]:
        """Call `listener` with the changes of a shipment while the context lasts.

        A status that is read from the store after the context was entered misses nothing: a later change is
        passed to the listener.
        """
