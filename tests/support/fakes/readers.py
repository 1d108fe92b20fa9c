"""The read side, over the documents that `InMemoryShipmentStore` writes."""

from copy import deepcopy

from domain.identity import EventId
from domain.ports import Document, ShipmentFilter
from domain.tracking_number import TrackingNumber
from tests.support.fakes.faults import Faults
from tests.support.fakes.shipments import Documents

_INTERNAL = frozenset({"fingerprint", "last_offset", "request_key", "version"})


class InMemoryShipmentReader(Faults):
    """Reads shipments."""

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._shipments = documents.shipments

    async def get(self, tracking_number: TrackingNumber) -> Document | None:
        """Return a shipment with its history, or None."""
        with self.around("get"):
            return deepcopy(self._shipments.get(tracking_number))

    async def page(self, matching: ShipmentFilter, *, limit: int, offset: int) -> tuple[list[Document], int]:
        """Return shipments, newest first, and how many match in all."""
        with self.around("page"):
            found = [shipment for shipment in self._shipments.values() if _matches(shipment, matching)]
            found.sort(key=lambda shipment: shipment["created_at"], reverse=True)
            return deepcopy(found[offset : offset + limit]), len(found)


class InMemoryEventReader(Faults):
    """Reads the audit log."""

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._events = documents.events

    async def get(self, event_id: EventId) -> Document | None:
        """Return an event with its outcome, or None."""
        with self.around("get"):
            event = self._events.get(event_id)
            if event is None:
                return None
            return deepcopy({name: value for name, value in event.items() if name not in _INTERNAL})


def _matches(shipment: Document, matching: ShipmentFilter) -> bool:
    return (matching.client_id is None or shipment["client_id"] == matching.client_id) and (
        matching.status is None or shipment["current_status"] == matching.status
    )
