"""The public views and the links, over the documents that `InMemoryShipmentStore` writes."""

from datetime import datetime

from domain.errors import InvalidTrackingNumber
from domain.shipments.links import MOST_LINKS, LinkId, ShipmentLink, is_valid, token_hash
from domain.shipments.public_view import PublicShipment, linked_view, public_view
from domain.shipments.tracking_number import TrackingNumber, read_tracking_number
from tests.support.fakes.documents import shown_shipment
from tests.support.fakes.faults import Faults
from tests.support.fakes.shipments import Documents


class InMemoryPublicShipmentReader(Faults):
    """Reads shipments for the public."""

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self._shipments = documents.shipments

    async def find(self, typed: str) -> PublicShipment | None:
        """Return the view for anybody, or None."""
        with self.around("find"):
            try:
                shipment = self._shipments.get(read_tracking_number(typed))
            except InvalidTrackingNumber:
                return None
            return None if shipment is None else public_view(shown_shipment(shipment))

    async def find_linked(self, tracking_number: TrackingNumber) -> PublicShipment | None:
        """Return the view for those who have a link, or None."""
        with self.around("find_linked"):
            shipment = self._shipments.get(tracking_number)
            return None if shipment is None else linked_view(shown_shipment(shipment))


class InMemoryLinkStore(Faults):
    """Holds links, by the digests of their tokens.

    Attributes:
        ends: the end of the links that was noted last, by tracking number.
    """

    def __init__(self, documents: Documents) -> None:
        super().__init__()
        self.ends: dict[TrackingNumber, datetime | None] = {}
        self._links: dict[bytes, ShipmentLink] = {}
        self._shipments = InMemoryPublicShipmentReader(documents)

    async def find_opened(self, token: str, now: datetime) -> PublicShipment | None:
        """Return the linked view of the shipment that a token opens, or None."""
        with self.around("find_opened"):
            link = self._links.get(token_hash(token))
            shipment = None if link is None else await self._shipments.find_linked(link.tracking_number)
            return shipment if shipment is not None and is_valid(shipment.ended_at, now) else None

    async def add(self, link: ShipmentLink, token_hash: bytes) -> bool:
        """Add a link, or return False."""
        with self.around("add"):
            if len(await self.of_shipment(link.tracking_number)) >= MOST_LINKS:
                return False
            self._links[token_hash] = link
            return True

    async def of_shipment(self, tracking_number: TrackingNumber) -> list[ShipmentLink]:
        """Return the links of a shipment, oldest first."""
        found = [link for link in self._links.values() if link.tracking_number == tracking_number]
        return sorted(found, key=lambda link: (link.created_at, link.link_id))

    async def note_end(self, tracking_number: TrackingNumber, expires_at: datetime | None) -> None:
        """Record when the links of a shipment end."""
        self.ends[tracking_number] = expires_at

    async def remove(self, tracking_number: TrackingNumber, link_id: LinkId) -> bool:
        """Remove a link, or return False."""
        digests = [
            digest
            for digest, link in self._links.items()
            if (link.tracking_number, link.link_id) == (tracking_number, link_id)
        ]
        for digest in digests:
            del self._links[digest]
        return bool(digests)
