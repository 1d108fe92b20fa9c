"""Records of the log on disk, in buckets by tracking number that fit into memory one by one.

Each bucket has a range of tracking numbers, so that reading the buckets in order yields the shipments in the
order of MongoDB. The log is read once, whatever its size, and needs its uncompressed size on the disk until
the end.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from domain.shipments.tracking_number import ALPHABET, PREFIX

MOST_BUCKETS: Final = len(ALPHABET) ** 2
"""A bucket is determined by the first two characters after the prefix."""

_HEAD: Final = struct.Struct("<iqqii")
_FLUSH_BYTES: Final = 128 * 1024
_PLACES: Final = {character: place for place, character in enumerate(ALPHABET.encode())}
_FIRST: Final = len(PREFIX)


class SpilledRecord(NamedTuple):
    """Fields of a record that a rebuild needs.

    Attributes:
        partition: its place in the log; see `Generation`.
        offset: its position in the log.
    """

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Spill:
    """Buckets in `directory`, which must be empty; its creator removes it."""

    def __init__(self, directory: Path, *, buckets: int) -> None:
        self.buckets = max(1, min(buckets, MOST_BUCKETS))
        self._files = [directory / f"{bucket:04}" for bucket in range(self.buckets)]
        self._buffers = [bytearray() for _ in self._files]

    def add(self, record: SpilledRecord) -> None:
        """Append a record to its bucket."""
        key, value = record.key, record.value
        bucket = bucket_of(key, self.buckets)
        buffer = self._buffers[bucket]
        buffer += _HEAD.pack(record.partition, record.offset, record.timestamp, _length(key), _length(value))
        buffer += key or b""
        buffer += value or b""
        if len(buffer) > _FLUSH_BYTES:
            self._flush(bucket)

    def records(self, bucket: int) -> Iterator[SpilledRecord]:
        """Yield the records of a bucket, those of one partition in their order of arrival."""
        if self._buffers[bucket]:
            self._flush(bucket)
        content = self._files[bucket].read_bytes() if self._files[bucket].exists() else b""
        at = 0
        while at < len(content):
            partition, offset, timestamp, key_length, value_length = _HEAD.unpack_from(content, at)
            at += _HEAD.size
            key = _taken(content, at, key_length)
            at += max(key_length, 0)
            value = _taken(content, at, value_length)
            at += max(value_length, 0)
            yield SpilledRecord(partition, offset, timestamp, key, value)

    def _flush(self, bucket: int) -> None:
        with self._files[bucket].open("ab") as file:
            file.write(self._buffers[bucket])
        self._buffers[bucket].clear()


def bucket_of(key: bytes | None, buckets: int) -> int:
    """Return the bucket of a key; keys that are no tracking number are in the first."""
    if key is None or len(key) < _FIRST + 2:
        return 0
    place = _PLACES.get(key[_FIRST], 0) * len(ALPHABET) + _PLACES.get(key[_FIRST + 1], 0)
    return place * buckets // MOST_BUCKETS


def _length(content: bytes | None) -> int:
    return -1 if content is None else len(content)


def _taken(content: bytes, at: int, length: int) -> bytes | None:
    return None if length < 0 else content[at : at + length]
