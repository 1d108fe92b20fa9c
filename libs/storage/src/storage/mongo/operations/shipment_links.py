"""Links in MongoDB, by the digests of their tokens. Each has one of its shipment's slots, so it has few."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from domain.shipments.links import MOST_LINKS, LinkId, ShipmentLink, is_valid, token_hash
from domain.shipments.public_view import PublicShipment
from domain.shipments.tracking_number import NOBODY, TrackingNumber
from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.queries.public import MongoPublicShipmentReader
from storage.mongo.schema import SHIPMENT_LINKS

# An allow list: digests are never read.
_OPENS: Final = ("tracking_number",)
_SHOWN: Final = (*_OPENS, "created_by", "created_at")


class MongoLinkStore:
    """`LinkStore` on MongoDB."""

    def __init__(self, database: Database) -> None:
        self._links = database[SHIPMENT_LINKS]
        self._shipments = MongoPublicShipmentReader(database)

    async def find_opened(self, token: str, now: datetime) -> PublicShipment | None:
        """See `LinkReader.find_opened`."""
        with translated():
            link = await self._links.find_one({"token_hash": token_hash(token)}, _OPENS)
        # An unknown token is as much work as one that has ended.
        shipment = await self._shipments.find_linked(NOBODY if link is None else link["tracking_number"])
        return shipment if shipment is not None and is_valid(shipment.ended_at, now) else None

    async def add(self, link: ShipmentLink, token_hash: bytes) -> bool:
        """See `LinkStore.add`."""
        document = {
            "_id": link.link_id,
            "tracking_number": link.tracking_number,
            "token_hash": token_hash,
            "created_by": link.created_by,
            "created_at": link.created_at,
            "expires_at": None,
        }
        with translated():
            for slot in range(MOST_LINKS):
                try:
                    await self._links.insert_one({**document, "slot": slot})
                except DuplicateKeyError:
                    continue
                return True
        return False

    async def of_shipment(self, tracking_number: TrackingNumber) -> list[ShipmentLink]:
        """See `LinkStore.of_shipment`."""
        with translated():
            found = await self._links.find(_of(tracking_number), _SHOWN).to_list()
        return sorted(map(_link_of, found), key=lambda link: (link.created_at, link.link_id))

    async def note_end(self, tracking_number: TrackingNumber, expires_at: datetime | None) -> None:
        """See `LinkStore.note_end`."""
        with translated():
            await self._links.update_many(
                _of(tracking_number) | {"expires_at": {"$ne": expires_at}},
                {"$set": {"expires_at": expires_at}},
            )

    async def remove(self, tracking_number: TrackingNumber, link_id: LinkId) -> bool:
        """See `LinkStore.remove`."""
        with translated():
            removed = await self._links.delete_one(_of(tracking_number) | {"_id": {"$eq": link_id}})
        return removed.deleted_count > 0


def _of(tracking_number: TrackingNumber) -> dict[str, Any]:
    return {"tracking_number": {"$eq": tracking_number}}


def _link_of(document: Mapping[str, Any]) -> ShipmentLink:
    return ShipmentLink(
        link_id=document["_id"],
        tracking_number=document["tracking_number"],
        created_by=document["created_by"],
        created_at=document["created_at"],
    )
