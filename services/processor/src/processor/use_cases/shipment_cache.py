"""Cache of the shipments that a partition has used last."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from domain.ports.core import ShipmentStore
from domain.processing.batch import ConsumedCommand
from domain.shipments.shipment import Shipment
from domain.shipments.tracking_number import TrackingNumber

Groups = Mapping[TrackingNumber, Sequence[ConsumedCommand]]


class ShipmentCache:
    """LRU cache of `size` shipments. Valid while one owner has the partition; cleared with the fence."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._shipments: OrderedDict[TrackingNumber, Shipment] = OrderedDict()

    def get(self, tracking_number: TrackingNumber) -> Shipment | None:
        """Return a shipment and mark it as used; None if it is not cached."""
        shipment = self._shipments.get(tracking_number)
        if shipment is not None:
            self._shipments.move_to_end(tracking_number)
        return shipment

    def put(self, shipments: Iterable[Shipment]) -> None:
        """Add shipments; evict the least recently used ones."""
        for shipment in shipments:
            self._shipments[shipment.tracking_number] = shipment
            self._shipments.move_to_end(shipment.tracking_number)
        while len(self._shipments) > self._size:
            self._shipments.popitem(last=False)

    def clear(self) -> None:
        """Remove all shipments."""
        self._shipments.clear()


async def load_shipments(
    wanted: Iterable[tuple[ShipmentCache, Groups]], store: ShipmentStore
) -> dict[TrackingNumber, Shipment]:
    """Return the shipments of grouped commands: at once from the store, where a cache lacks one.

    A shipment that has nothing but known duplicates is not needed to judge them, and is not read.
    """
    shipments: dict[TrackingNumber, Shipment] = {}
    missing: dict[TrackingNumber, ShipmentCache] = {}
    for cache, groups in wanted:
        for number, group in groups.items():
            shipment = cache.get(number)
            if shipment is not None:
                shipments[number] = shipment
            elif not all(consumed.known_duplicate for consumed in group):
                missing[number] = cache
    loaded = await store.load(missing)
    for number, shipment in loaded.items():
        missing[number].put([shipment])
    return shipments | loaded
