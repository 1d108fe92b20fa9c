"""Reads of the public pages. The projections are allow lists: nothing else is even read."""

from typing import Final

from domain.shipments import public_view
from domain.shipments.public_view import PublicShipment
from domain.shipments.tracking_number import TrackingNumber, number_to_find
from storage.mongo.checkpoints import CHECKPOINT, COUNT, RING, merged_history
from storage.mongo.database import Database
from storage.mongo.documents import UTC_OFFSET, Document
from storage.mongo.errors import translated
from storage.mongo.queries.paging import shown
from storage.mongo.schema import SHIPMENTS

_STEP: Final = ("status", CHECKPOINT, "timestamp", UTC_OFFSET, "recorded_at")
_PLACE: Final = ("location.lat", "location.lng")
_STATE: Final = ("current_status", "version", "updated_at", COUNT)
_PUBLIC: Final = (*_STATE, *(f"{name}.{part}" for name in ("status_history", RING) for part in _STEP))
_LINKED: Final = (
    *_PUBLIC,
    "estimated_delivery",
    *(f"{name}.{part}" for name in ("status_history", RING) for part in _PLACE),
)


class MongoPublicShipmentReader:
    """`PublicShipmentReader` on MongoDB."""

    def __init__(self, database: Database) -> None:
        self._shipments = database[SHIPMENTS]

    async def find(self, typed: str) -> PublicShipment | None:
        """See `PublicShipmentReader.find`."""
        found = await self._read(number_to_find(typed), _PUBLIC)
        return None if found is None else public_view.public_view(found)

    async def find_linked(self, tracking_number: TrackingNumber) -> PublicShipment | None:
        """See `PublicShipmentReader.find_linked`."""
        found = await self._read(tracking_number, _LINKED)
        return None if found is None else public_view.linked_view(found)

    async def _read(self, tracking_number: TrackingNumber, fields: tuple[str, ...]) -> Document | None:
        with translated():
            found = await self._shipments.find_one({"_id": {"$eq": tracking_number}}, fields)
        if found is None:
            return None
        return shown(found, "tracking_number") | {"status_history": merged_history(found)}
