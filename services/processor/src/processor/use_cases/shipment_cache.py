"""The shipments that a partition has seen lately: what it wrote last, it need not read again."""

from collections import OrderedDict
from collections.abc import Iterable

from domain.shipments.shipment import Shipment
from domain.shipments.tracking_number import TrackingNumber


class ShipmentCache:
    """The `size` shipments used last. Valid while one owner has the partition; it forgets with the fence."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._shipments: OrderedDict[TrackingNumber, Shipment] = OrderedDict()

    def get(self, tracking_number: TrackingNumber) -> Shipment | None:
        """Return a shipment, and count it as used; None if it is not here."""
        shipment = self._shipments.get(tracking_number)
        if shipment is not None:
            self._shipments.move_to_end(tracking_number)
        return shipment

    def put(self, shipments: Iterable[Shipment]) -> None:
        """Take shipments in; those used longest ago make room."""
        for shipment in shipments:
            self._shipments[shipment.tracking_number] = shipment
            self._shipments.move_to_end(shipment.tracking_number)
        while len(self._shipments) > self._size:
            self._shipments.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._shipments.clear()
