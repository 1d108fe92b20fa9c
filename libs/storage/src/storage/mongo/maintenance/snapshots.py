"""Snapshots of shipments and events as of one instant, while events are being applied (ADR 0011).

All reads of a snapshot see the same instant, also over several collections. MongoDB retains the past for
`minSnapshotHistoryWindowInSeconds`, 300 by default: longer reads fail with a message that says so.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar, cast

from bson import decode
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import OperationFailure

from domain.errors import StoreUnavailable
from storage.mongo.database import Database
from storage.mongo.documents import Document
from storage.mongo.errors import translated
from storage.mongo.schema import BY_ID, PARTITION_FENCES, SHIPMENTS, STATUS_EVENTS

if TYPE_CHECKING:
    from pymongo.asynchronous.collection import AsyncCollection

_PLAIN: Final[CodecOptions[Document]] = CodecOptions(tz_aware=True, tzinfo=UTC)
_RAW: Final = CodecOptions(document_class=RawBSONDocument, tz_aware=True, tzinfo=UTC)
_IDS_OF_EVENTS: Final = {"$gte": "evt_", "$lt": "evt_~"}
_NUMBER: Final = slice(len("evt_"), len("evt_99M-000000000000"))
_ID_TEXT: Final = 4 + len(b"\x02_id\0") + 4
"""Position of the text of `_id` in a document: after its size, the type and name, and the text's size."""

_TOO_OLD: Final = (239, 246)
"""SnapshotTooOld, SnapshotUnavailable."""

_Versions = tuple[RawBSONDocument | None, RawBSONDocument | None]

Left = TypeVar("Left")
Right = TypeVar("Right")


class Stored(NamedTuple):
    """Stored shipment, byte for byte, and its events, in the order of their ids.

    Attributes:
        shipment: as stored in the collection being read.
        current: as stored in `shipments`.
    """

    shipment: RawBSONDocument | None
    trail: list[Document]
    current: RawBSONDocument | None = None

    @property
    def document(self) -> Document | None:
        """The decoded shipment."""
        return _decoded(self.shipment)

    @property
    def current_document(self) -> Document | None:
        """The decoded shipment of `shipments`."""
        return _decoded(self.current)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One instant of the database.

    Attributes:
        fences: the next offset of each partition, by `topic/number`.
    """

    fences: Mapping[str, int]
    _database: Database
    _session: AsyncClientSession

    async def stored(self, collection: str = SHIPMENTS) -> AsyncIterator[tuple[str, Stored]]:
        """Yield every shipment with its events, by tracking number: a merge join along `_id`.

        One shipment at a time is in memory. The one in `shipments` is included, whatever `collection` is.
        """
        both = side_by_side(self._versions(collection), self._trails())
        async for number, versions, trail in both:
            shipment, current = versions or (None, None)
            yield number, Stored(shipment, trail or [], current)

    async def _versions(self, collection: str) -> AsyncIterator[tuple[str, _Versions]]:
        if collection == SHIPMENTS:
            async for number, only in self._shipments(SHIPMENTS):
                yield number, (only, only)
            return
        both = side_by_side(self._shipments(collection), self._shipments(SHIPMENTS))
        async for number, shipment, current in both:
            yield number, (shipment, current)

    async def _shipments(self, collection: str) -> AsyncIterator[tuple[str, RawBSONDocument]]:
        shipments = cast("AsyncCollection[RawBSONDocument]", self._database[collection].with_options(_RAW))
        with at_this_instant():
            async for shipment in shipments.find({"_id": {"$gte": ""}}, sort=BY_ID, session=self._session):
                yield _id_of(shipment.raw), shipment

    async def _trails(self) -> AsyncIterator[tuple[str, list[Document]]]:
        """Group the audit log by shipment: event ids begin with the tracking number, so one scan will do."""
        trail: list[Document] = []
        number = ""
        events = self._database[STATUS_EVENTS]
        with at_this_instant():
            async for event in events.find({"_id": _IDS_OF_EVENTS}, sort=BY_ID, session=self._session):
                if (of := event["_id"][_NUMBER]) != number:
                    if trail:
                        yield number, trail
                    trail, number = [], of
                trail.append(event)
        if trail:
            yield number, trail


def _decoded(shipment: RawBSONDocument | None) -> Document | None:
    return None if shipment is None else decode(shipment.raw, _PLAIN)


def _id_of(raw: bytes | memoryview) -> str:
    """Return the text `_id` of a raw document, which MongoDB stores first, without decoding the document."""
    length = int.from_bytes(raw[_ID_TEXT - 4 : _ID_TEXT], "little")
    return bytes(raw[_ID_TEXT : _ID_TEXT + length - 1]).decode()


@asynccontextmanager
async def snapshot_of(database: Database) -> AsyncIterator[Snapshot]:
    """Open a snapshot of the current instant.

    Raises:
        StoreUnavailable: MongoDB did not respond, or no longer has that instant.
    """
    async with database.client.start_session(snapshot=True) as session:
        with translated():
            fences = await database[PARTITION_FENCES].find({}, session=session).to_list()
        yield Snapshot({fence["_id"]: fence["next_offset"] for fence in fences}, database, session)


async def side_by_side(
    left: AsyncIterator[tuple[str, Left]], right: AsyncIterator[tuple[str, Right]]
) -> AsyncIterator[tuple[str, Left | None, Right | None]]:
    """Merge-join two iterators in the order of their keys; None for a key that one of them lacks."""
    one, other = await anext(left, None), await anext(right, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None  # noqa: S101  # for mypy: one of the two is there
            yield one[0], one[1], None
            one = await anext(left, None)
        elif one is None or other[0] < one[0]:
            yield other[0], None, other[1]
            other = await anext(right, None)
        else:
            yield one[0], one[1], other[1]
            one, other = await anext(left, None), await anext(right, None)


@contextmanager
def at_this_instant() -> Iterator[None]:
    """Translate the driver's errors, and explain the one of an instant that is too long ago."""
    with translated():
        try:
            yield
        except OperationFailure as error:
            if error.code not in _TOO_OLD:
                raise
            raise StoreUnavailable(
                "MongoDB has forgotten the instant that is looked at: reading took longer than "
                "minSnapshotHistoryWindowInSeconds (300 by default), raise it with setParameter"
            ) from error
