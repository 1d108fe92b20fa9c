"""Current statuses of shipments, for live streams."""

from collections.abc import Collection, Mapping
from typing import Final

from domain.ports.live import CurrentStatus
from domain.ports.queries import EVERYTHING, Scope
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber
from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.queries.scopes import inside
from storage.mongo.schema import SHIPMENTS

_FIELDS: Final = ("version", "current_status")


class MongoStatusReader:
    """`StatusReader` on MongoDB."""

    def __init__(self, database: Database) -> None:
        self._shipments = database[SHIPMENTS]

    async def current(
        self, tracking_numbers: Collection[TrackingNumber], scope: Scope = EVERYTHING
    ) -> Mapping[TrackingNumber, CurrentStatus]:
        """See `StatusReader.current`."""
        wanted = {"_id": {"$in": list(tracking_numbers)}, **inside(scope)}
        with translated():
            found = await self._shipments.find(wanted, _FIELDS).to_list()
        return {each["_id"]: _status_of(each["version"], each["current_status"]) for each in found}


def _status_of(version: int, status: str) -> CurrentStatus:
    return CurrentStatus(version, Status(status))
