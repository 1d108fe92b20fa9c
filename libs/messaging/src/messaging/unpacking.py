"""Tolerant unpacking of fetch responses, so that unreadable records affect their own partition alone.

aiokafka (0.14) raises any error from `getmany`: it does not say in which partition, loses what it took from
others in that call, and repeats that for ever. Here an exception becomes an item of its partition, in its
position: an `UnreadableRecord` where a single record can be delimited, else an `UnreadableBatch`.
"""

import struct
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint
from aiokafka.structs import ConsumerRecord

from messaging import decompressing
from messaging.decompressing import gzip_bounded, lz4_bounded, snappy_bounded, zstd_bounded

_OVERHEAD: Final = struct.Struct(">qi")
"""Prefix of a batch: its first offset, and how many bytes follow."""
_HEADER: Final = struct.Struct(">qiibIhiqqqhii")
_MAGIC: Final = 2
_MAGIC_AT: Final = 16
_CODEC_MASK: Final = 0x07
_LOG_APPEND_TIME: Final = 0x08
_CODECS: Final[Mapping[int, Callable[[Any], bytes]]] = {
    0: bytes,
    1: gzip_bounded,
    2: snappy_bounded,
    3: lz4_bounded,
    4: zstd_bounded,
}


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """A record that breaks the rules of Kafka's format; see `messaging.dead_letters.records.Record`.

    Attributes:
        fault: what is wrong with it.
        value: its value, or all of its bytes where that could not be parsed.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    fault: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class UnreadableBatch:
    """Records that cannot be delimited: a damaged batch, or one in an unknown codec.

    Attributes:
        offset: of the first record that was not unpacked.
        next_offset: of the first record behind them.
        fault: what is wrong.
    """

    topic: str
    partition: int
    offset: int
    next_offset: int
    fault: str
    timestamp: int = 0
    key: None = None
    value: None = None
    headers: tuple[tuple[str, bytes], ...] = field(default=())

    def end_in(self, end_offset: int) -> int:
        """Return the offset after it: it ends where the log does, whatever its header says."""
        return max(self.offset + 1, min(self.next_offset, end_offset))


class KeyFilter:
    """Keys of the records that a consumer wants, for one that wants few: the others are skipped early.

    It is passed as the `key_deserializer`, the one option of a consumer that reaches the unpacking.
    """

    def __init__(self, wanted: Container[bytes | None]) -> None:
        """Create it; `wanted` may change."""
        self.wanted = wanted

    def __call__(self, key: bytes | None) -> bytes | None:
        """Return the key as it is."""
        return key


class WantedRecords:
    """A batch of aiokafka without the records that a `KeyFilter` skips."""

    def __init__(self, batch: Any, wanted: Container[bytes | None]) -> None:  # noqa: ANN401  # of aiokafka
        self._batch = batch
        self._wanted = wanted

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # of aiokafka
        """Return an attribute of the batch."""
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the records that are wanted."""
        wanted = self._wanted
        return (record for record in self._batch if record.key in wanted)

    def __next__(self) -> Any:  # noqa: ANN401  # of aiokafka
        """Return the next record, wanted or not, as for the marker of a control batch."""
        return next(self._batch)


class RawBatchRecords:
    """aiokafka's `MemoryRecords`, with the raw bytes of the last batch.

    Attributes:
        wanted: keys of the records that are not skipped; None: of all.
    """

    def __init__(self, data: bytes) -> None:
        self.wanted: Container[bytes | None] | None = None
        self._data = data
        self._position = 0
        self._batches: Any = MemoryRecords(data)
        self._is_over = False
        self.batch: bytes | memoryview = b""

    def size_in_bytes(self) -> int:
        """See `MemoryRecords`."""
        return len(self._data)

    def has_next(self) -> bool:
        """See `MemoryRecords`."""
        return not self._is_over and bool(self._batches.has_next())

    def next_batch(self) -> Any:  # noqa: ANN401  # of aiokafka, which types it by protocols of its own
        """See `MemoryRecords`; its bytes are in `batch` even where it raises, which ends the response."""
        _, length = _OVERHEAD.unpack_from(self._data, self._position)
        end = self._position + _OVERHEAD.size + length
        self.batch = memoryview(self._data)[self._position : end]
        self._position = end
        try:
            batch = self._batches.next_batch()
        except Exception:
            self._is_over = True  # its length may be invalid, and aiokafka does not move past it
            raise
        return batch if batch is None or self.wanted is None else WantedRecords(batch, self.wanted)

    @property
    def follows(self) -> int | None:
        """The first offset of the next batch, if enough of it is there to recognise it."""
        magic_at = self._position + _MAGIC_AT
        if self._is_over or magic_at >= len(self._data) or self._data[magic_at] != _MAGIC:
            return None
        return int(_OVERHEAD.unpack_from(self._data, self._position)[0])


class TolerantRecords(fetcher.PartitionRecords):  # type: ignore[misc]  # aiokafka ships no types
    """aiokafka's unpacking, with an item in the place of an exception."""

    _tp: TopicPartition
    _records: RawBatchRecords
    next_fetch_offset: int

    def __init__(
        self,
        tp: TopicPartition,
        records: RawBatchRecords,
        aborted: Any,  # noqa: ANN401  # of aiokafka, as the rest
        fetch_offset: int,
        key_deserializer: Any,  # noqa: ANN401
        *rest: Any,  # noqa: ANN401
    ) -> None:
        if isinstance(key_deserializer, KeyFilter):
            records.wanted = key_deserializer.wanted
        super().__init__(tp, records, aborted, fetch_offset, key_deserializer, *rest)

    def _unpack_records(self) -> Iterator[Any]:
        while True:
            try:
                yield from super()._unpack_records()
            except Exception as error:  # noqa: BLE001  # whatever a foreign producer, or a disk, has made of it
                yield from self._items_around(error)
            else:
                return

    def _items_around(self, error: Exception) -> Iterator[Any]:
        """Yield the readable and the unreadable items of the batch that raised."""
        raw = bytes(self._records.batch)
        items = iter(()) if _is_damaged(error) else _records_in(self._tp, raw)
        try:
            for item in items:
                if item.offset >= self.next_fetch_offset:
                    self.next_fetch_offset = item.offset + 1
                    yield item
        except Exception as again:  # noqa: BLE001  # as above
            error = again
        else:
            if not _is_damaged(error):
                self.next_fetch_offset = max(self.next_fetch_offset, _end_of(raw))
                return
        first = self.next_fetch_offset
        self.next_fetch_offset = self._behind(0 if _is_damaged(error) else _end_of(raw), first)
        fault = f"{type(error).__name__}: {error}"
        yield UnreadableBatch(self._tp.topic, self._tp.partition, first, self.next_fetch_offset, fault)

    def _behind(self, end: int, first: int) -> int:
        """Return the offset after a batch that ends at `end` (0: unknown): one further at least."""
        follows = self._records.follows
        return max(first + 1, end if follows is None else follows)


def install() -> None:
    """Install the tolerant unpacking for every consumer of this process; safe to repeat."""
    decompressing.install()
    fetcher.MemoryRecords = RawBatchRecords
    fetcher.PartitionRecords = TolerantRecords


def tolerant_consumer(*topics: str, **options: Any) -> AIOKafkaConsumer:  # noqa: ANN401  # as aiokafka takes them
    """Create a consumer that yields `UnreadableRecord` and `UnreadableBatch` beside `ConsumerRecord`."""
    install()
    return AIOKafkaConsumer(*topics, **options)


def _is_damaged(error: Exception) -> bool:
    return "Invalid CRC" in str(error)


def _end_of(raw: bytes) -> int:
    if len(raw) < _HEADER.size:
        return 0
    first, *_ = fields = _HEADER.unpack_from(raw)
    return int(first + fields[6] + 1)


def _records_in(partition: TopicPartition, raw: bytes) -> Iterator[ConsumerRecord | UnreadableRecord]:
    """Yield the records of a batch one by one.

    Raises:
        Exception: it is not a batch, cannot be decompressed, or has invalid lengths.
    """
    fields = _HEADER.unpack_from(raw)
    magic, attributes, base, count = fields[3], fields[5], fields[0], fields[12]
    if magic != _MAGIC:
        raise ValueError(f"message format {magic} is unknown")
    unpack = _CODECS.get(attributes & _CODEC_MASK)
    if unpack is None:
        raise ValueError(f"compression codec {attributes & _CODEC_MASK} is unknown")
    body = bytes(unpack(raw[_HEADER.size :]))
    stamped = fields[8] if attributes & _LOG_APPEND_TIME else None
    position = 0
    for index in range(count):
        length, start = decode_varint(body, position)
        position = start + length
        if length < 0 or position > len(body):
            raise ValueError(f"a record of {length} bytes does not fit into its batch")
        yield _record(partition, body[start:position], base + index, (fields[7], stamped))


def _record(
    partition: TopicPartition, raw: bytes, offset: int, stamps: tuple[int, int | None]
) -> ConsumerRecord | UnreadableRecord:
    timestamp = stamps[0] if stamps[1] is None else stamps[1]
    try:
        _, at = decode_varint(raw, 0)
        delta, at = decode_varint(raw, at)
        timestamp = timestamp if stamps[1] is not None else timestamp + delta
        _, at = decode_varint(raw, at)
        key, at = _bytes(raw, at)
        value, at = _bytes(raw, at)
        names, headers = _headers(raw, at)
    except Exception as error:  # noqa: BLE001  # whatever a foreign producer has made of it
        return UnreadableRecord(
            partition.topic,
            partition.partition,
            offset,
            timestamp,
            f"it cannot be parsed: {error}",
            None,
            raw,
        )
    fault = next((f"the name of header {name!r} is not UTF-8" for name in names if not _is_utf8(name)), None)
    if fault is not None:
        return UnreadableRecord(
            partition.topic, partition.partition, offset, timestamp, fault, key, value, headers
        )
    sizes = tuple(-1 if part is None else len(part) for part in (key, value))
    return ConsumerRecord(
        *partition, offset, timestamp, int(stamps[1] is not None), key, value, None, *sizes, headers
    )


def _headers(raw: bytes, at: int) -> tuple[list[bytes], tuple[tuple[str, bytes], ...]]:
    """Return the raw names, and the headers with readable names."""
    count, at = decode_varint(raw, at)
    names: list[bytes] = []
    values: list[Any] = []
    for _ in range(count):
        name, at = _bytes(raw, at)
        value, at = _bytes(raw, at)
        names.append(name or b"")
        values.append(value)
    if at != len(raw):
        raise ValueError(f"{len(raw) - at} bytes are left over")
    shown = [name.decode(errors="backslashreplace") for name in names]
    return names, tuple(zip(shown, values, strict=True))


def _bytes(raw: bytes, at: int) -> tuple[bytes | None, int]:
    length, at = decode_varint(raw, at)
    if length < 0:
        return None, at
    if at + length > len(raw):
        raise ValueError(f"a field of {length} bytes does not fit into its record")
    return raw[at : at + length], at + length


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
