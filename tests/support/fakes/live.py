"""Live statuses, over the documents that `InMemoryShipmentStore` writes."""

import contextlib
from collections.abc import Collection, Iterator, Mapping

from domain.ports.live import CurrentStatus, StatusListener
from domain.ports.queries import EVERYTHING, Scope
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber
from tests.support.fakes.faults import Faults
from tests.support.fakes.scopes import is_in
from tests.support.fakes.shipments import Documents


class InMemoryStatusReader(Faults):
    """Reads current statuses."""

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._shipments = documents.shipments

    async def current(
        self, tracking_numbers: Collection[TrackingNumber], scope: Scope = EVERYTHING
    ) -> Mapping[TrackingNumber, CurrentStatus]:
        """Return the current status of each shipment that exists in `scope`."""
        with self.around("current"):
            return {
                number: CurrentStatus(shipment["version"], Status(shipment["current_status"]))
                for number in tracking_numbers
                if (shipment := self._shipments.get(number)) is not None and is_in(scope, shipment)
            }


class InMemoryStatusChanges:
    """Passes on the changes that a test tells."""

    def __init__(self) -> None:
        self.listeners: dict[TrackingNumber, list[StatusListener]] = {}

    @contextlib.contextmanager
    def listening(self, tracking_number: TrackingNumber, listener: StatusListener) -> Iterator[None]:
        """Call `listener` with the changes of a shipment."""
        listeners = self.listeners.setdefault(tracking_number, [])
        listeners.append(listener)
        try:
            yield
        finally:
            listeners.remove(listener)

    def tell(self, tracking_number: TrackingNumber, version: int, status: Status) -> None:
        """Tell a change to those who listen."""
        for listener in self.listeners.get(tracking_number, ()):
            listener(CurrentStatus(version, status))
