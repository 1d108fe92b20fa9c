"""The tail of the change feed: what happens to shipments from now on, for those who listen.

Every process reads all partitions, without a group and from their ends: those who follow a shipment may be
connected to any replica. Nothing is read while nobody listens.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from domain.errors import PoisonRecord, StoreUnavailable
from domain.ports.live import CurrentStatus, StatusListener, StatusReader
from domain.shipments.tracking_number import TrackingNumber
from messaging.change_codec import decode_change
from messaging.consumer.group import group_consumer
from messaging.dead_letters.records import Record
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from messaging.unpacking import KeyFilter, tolerant_consumer
from servicekit.background_tasks import in_background

FETCH_WAIT_MS: Final = 200
"""How long a broker collects changes before it returns them: five fetches a second, however many changes."""
_FETCH_BYTES: Final = 1024 * 1024
_MAX_RECORDS: Final = 1_000
_START_TIMEOUT_S: Final = 10.0
_RETRY_S: Final = 1.0
IDLE_S: Final = 30.0
_READ_AT_ONCE: Final = 500
_METADATA_MAX_AGE_MS: Final = 10_000

_log = structlog.get_logger(__name__)


class ChangeTail:
    """`StatusChanges` on Kafka.

    Whenever reading begins, or begins again after a fault, each listener gets the current status of its
    shipment from the store: what happened in between is not missed.

    Attributes:
        is_following: it reads now, so that changes are passed on as they happen.
    """

    def __init__(self, settings: KafkaSettings, statuses: StatusReader, *, idle_s: float = IDLE_S) -> None:
        """Create it; it reads while `running`.

        Args:
            settings: of the connection and the topic.
            statuses: of the shipments.
            idle_s: how long it reads on when nobody listens any more.
        """
        self.is_following = False
        self._idle_s = idle_s
        self._settings = settings
        self._topic = Topics(settings.topic_prefix).changes
        self._statuses = statuses
        self._listeners: dict[bytes, set[StatusListener]] = {}
        self._wanted = asyncio.Event()

    @property
    def is_wanted(self) -> bool:
        """Somebody listens, or did until a moment ago."""
        return self._wanted.is_set()

    @contextlib.contextmanager
    def listening(self, tracking_number: TrackingNumber, listener: StatusListener) -> Iterator[None]:
        """See `StatusChanges.listening`."""
        key = tracking_number.encode()
        self._listeners.setdefault(key, set()).add(listener)
        self._wanted.set()
        try:
            yield
        finally:
            listeners = self._listeners[key]
            listeners.remove(listener)
            if not listeners:
                del self._listeners[key]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read whenever somebody listens, while the context lasts."""
        async with in_background(self._run(), name="change_tail"):
            yield

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            try:
                async with self._consumer_at_the_end() as consumer:
                    await self._catch_up()
                    self.is_following = True
                    await self._follow(consumer)
            except (KafkaError, OSError, StoreUnavailable) as error:
                _log.warning("change_tail_interrupted", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(_RETRY_S)
            except Exception:  # noqa: BLE001  # the top of the loop: listeners wait for whatever comes after
                _log.exception("change_tail_failed")
                await asyncio.sleep(_RETRY_S)
            finally:
                self.is_following = False

    @contextlib.asynccontextmanager
    async def _consumer_at_the_end(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = tolerant_consumer(
            self._topic,  # without a group: all of its partitions
            **self._settings.connection(),
            key_deserializer=KeyFilter(self._listeners),
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            fetch_min_bytes=_FETCH_BYTES,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            metadata_max_age_ms=_METADATA_MAX_AGE_MS,
        )
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                await consumer.start()
                await consumer.seek_to_end()
            yield consumer
        finally:
            await group_consumer.stop(consumer)

    async def _catch_up(self) -> None:
        """Read what all listeners may have missed, some hundreds of shipments at a time."""
        numbers = iter([TrackingNumber(key.decode()) for key in self._listeners])
        while some := tuple(islice(numbers, _READ_AT_ONCE)):
            for number, status in (await self._statuses.current(some)).items():
                self._tell(number.encode(), status)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        heard_until = time.monotonic() + self._idle_s
        while self._listeners or time.monotonic() < heard_until:
            if self._listeners:
                heard_until = time.monotonic() + self._idle_s
            arrived = await consumer.getmany(timeout_ms=FETCH_WAIT_MS * 2, max_records=_MAX_RECORDS)
            for key, record in self._latest(arrived.values()).items():
                self._pass_on(key, record)
        self._wanted.clear()

    def _latest(self, arrived: Iterable[Collection[Record]]) -> Mapping[bytes, Record]:
        """Return the last record of each shipment that somebody listens to."""
        return {
            record.key: record
            for records in arrived
            for record in records
            if record.key is not None and record.key in self._listeners
        }

    def _pass_on(self, key: bytes, record: Record) -> None:
        try:
            change = decode_change(record.value)
        except PoisonRecord as error:
            _log.error(
                "change_unreadable", partition=record.partition, offset=record.offset, error=str(error)
            )
        else:
            self._tell(key, CurrentStatus(change.version, change.current_status))

    def _tell(self, key: bytes, status: CurrentStatus) -> None:
        for listener in self._listeners.get(key, ()):
            listener(status)
