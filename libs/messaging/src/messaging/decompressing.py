"""Bounded decompression of batches: a megabyte may expand to gigabytes, and crash the process.

That is worse than any other fault of a batch: it happens while records are fetched, before one of them is
handled, so that every process ends there and none can record where.
"""

import gzip
import io
import mmap
import struct
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import cramjam
from aiokafka.codec import snappy_decode
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch

from messaging.topics import MAX_MESSAGE_BYTES

MAX_BATCH_BYTES: Final = 16 * MAX_MESSAGE_BYTES
"""Limit of a decompressed batch. A full one of JSON is smaller; those of all partitions fit into memory."""
_XERIAL: Final = b"\x82SNAPPY\0"
_XERIAL_HEADER_BYTES: Final = 16
_BLOCK: Final = struct.Struct(">i")


class BatchTooLarge(ValueError):
    """A batch that is larger than `MAX_BATCH_BYTES` once it is decompressed."""

    def __init__(self) -> None:
        super().__init__(f"it is larger than {MAX_BATCH_BYTES >> 20} MiB without compression")


def gzip_bounded(payload: Any) -> bytes:  # noqa: ANN401  # any buffer, as aiokafka hands them over
    """Decompress gzip.

    Raises:
        BatchTooLarge: it exceeds `MAX_BATCH_BYTES`.
        Exception: it cannot be decompressed.
    """
    with gzip.GzipFile(fileobj=io.BytesIO(payload)) as file:
        body = file.read(MAX_BATCH_BYTES + 1)
    if len(body) > MAX_BATCH_BYTES:
        raise BatchTooLarge
    return body


def snappy_bounded(payload: Any) -> bytes:  # noqa: ANN401  # as above
    """Decompress snappy, in one piece or in the blocks of Java's clients; see `gzip_bounded`."""
    if _snappy_size(bytes(payload)) > MAX_BATCH_BYTES:
        raise BatchTooLarge
    return bytes(snappy_decode(payload))


def lz4_bounded(payload: Any) -> bytes:  # noqa: ANN401  # as above
    """Decompress LZ4; see `gzip_bounded`."""
    return _into_room(cramjam.lz4.decompress_into, payload)


def zstd_bounded(payload: Any) -> bytes:  # noqa: ANN401  # as above
    """Decompress Zstandard; see `gzip_bounded`."""
    return _into_room(cramjam.zstd.decompress_into, payload)


DECODERS: Final[Mapping[str, Callable[[Any], bytes]]] = {
    "gzip_decode": gzip_bounded,
    "snappy_decode": snappy_bounded,
    "lz4_decode": lz4_bounded,
    "zstd_decode": zstd_bounded,
}
"""Decoders, by the names under which aiokafka (0.14) looks them up for each batch."""


def install() -> None:
    """Install the decoders for every consumer of this process; safe to repeat."""
    for batch in (DefaultRecordBatch, LegacyRecordBatch):
        module = sys.modules[batch.__module__]  # of C where that was built
        for name in DECODERS.keys() & vars(module).keys():
            setattr(module, name, DECODERS[name])


def _snappy_size(payload: bytes) -> int:
    """Return the decompressed size that the payload declares."""
    if not payload.startswith(_XERIAL):
        return int(cramjam.snappy.decompress_raw_len(payload))
    position, size = _XERIAL_HEADER_BYTES, 0
    while position < len(payload):
        [length] = _BLOCK.unpack_from(payload, position)
        position += _BLOCK.size
        if length <= 0:
            raise ValueError(f"a block of {length} bytes")
        size += int(cramjam.snappy.decompress_raw_len(payload[position : position + length]))
        position += length
    return size


def _into_room(decompress: Callable[[bytes, Any], int], payload: Any) -> bytes:  # noqa: ANN401  # as above
    # Mapped memory costs nothing until it is written.
    with mmap.mmap(-1, MAX_BATCH_BYTES) as room:
        try:
            size = decompress(bytes(payload), room)
        except cramjam.DecompressionError as error:
            if "failed to write whole buffer" in str(error):
                raise BatchTooLarge from error
            raise
        return room[:size]
