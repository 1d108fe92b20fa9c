"""Ports of the public pages: shipments as anybody may see them, and links to them."""

from datetime import datetime
from typing import Protocol

from domain.shipments.links import LinkId, ShipmentLink
from domain.shipments.public_view import PublicShipment
from domain.shipments.tracking_number import TrackingNumber


class PublicShipmentReader(Protocol):
    """Reads shipments for the public, each with one lookup, whether there is one or not."""

    async def find(self, typed: str) -> PublicShipment | None:
        """Return the view for anybody; None for an unknown number, and for text that is none.

        Args:
            typed: a tracking number as a person may write it, or anything else.
        """

    async def find_linked(self, tracking_number: TrackingNumber) -> PublicShipment | None:
        """Return the view for those who have a link, or None if there is no such shipment."""


class LinkReader(Protocol):
    """Reads links by their tokens."""

    async def find_opened(self, token: str, now: datetime) -> PublicShipment | None:
        """Return the linked view of the shipment that a token opens; None if it is unknown, or has ended."""


class LinkStore(LinkReader, Protocol):
    """The store of links. Only query-api writes to it."""

    async def add(self, link: ShipmentLink, token_hash: bytes) -> bool:
        """Add a link; False, and nothing changes, if its shipment has `MOST_LINKS`."""

    async def of_shipment(self, tracking_number: TrackingNumber) -> list[ShipmentLink]:
        """Return the links of a shipment, oldest first."""

    async def note_end(self, tracking_number: TrackingNumber, expires_at: datetime | None) -> None:
        """Record when the links of a shipment end, so that they are deleted some time after it.

        Args:
            tracking_number: of the shipment.
            expires_at: None if the shipment has not ended, or not any more.
        """

    async def remove(self, tracking_number: TrackingNumber, link_id: LinkId) -> bool:
        """Remove a link; False if the shipment has none of that id."""
