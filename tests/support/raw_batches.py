"""Record batches made byte by byte, as foreign producers write them and no client of ours would."""

import asyncio
import struct
from collections.abc import Callable, Sequence
from typing import Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import NotLeaderForPartitionError
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c

from messaging.settings import KafkaSettings

_BEHIND_CRC: Final = struct.Struct(">hiqqqhii")
_HEAD: Final = struct.Struct(">qiibI")
STAMP: Final = 1_772_366_400_000


def record(
    index: int,
    *,
    key: bytes | None = b"key",
    value: bytes | None = b"value",
    headers: Sequence[tuple[bytes, bytes | None]] = (),
) -> bytes:
    """Return a record of a batch; header names are any bytes."""
    body = b"\0" + _varint(0) + _varint(index) + _field(key) + _field(value) + _varint(len(headers))
    body += b"".join(_field(name) + _field(text) for name, text in headers)
    return _varint(len(body)) + body


def batch(
    records: Sequence[bytes],
    *,
    base: int = 0,
    attributes: int = 0,
    stamp: int = STAMP,
    encode: Callable[[bytes], bytes] = bytes,
) -> bytes:
    """Return a batch of records; `attributes` as they stand in its header, and compressed as they say."""
    last = len(records) - 1
    body = _BEHIND_CRC.pack(attributes, last, stamp, stamp, -1, -1, -1, len(records))
    body += encode(b"".join(records))
    return _HEAD.pack(base, len(body) + 9, -1, 2, calc_crc32c(body)) + body


async def write_batch(settings: KafkaSettings, topic: str, partition: int, raw: bytes) -> None:
    """Append a batch as it is."""
    client = AIOKafkaClient(**settings.connection())
    await client.bootstrap()
    try:
        await client.force_metadata_update()
        client.add_topic(topic)
        await client.fetch_all_metadata()
        [node] = {broker.nodeId for broker in client.cluster.brokers()}
        request = ProduceRequest(None, -1, 5000, [(topic, [(partition, raw)])])
        while True:
            response = await client.send(node, request)
            [(_, [(_, error, *_)])] = response.topics
            if error != NotLeaderForPartitionError.errno:  # as of a topic that was just created
                break
            await asyncio.sleep(0.05)
        assert error == 0, f"the broker refused it: error {error}"
    finally:
        await client.close()


def _varint(number: int) -> bytes:
    left = number << 1 if number >= 0 else ~(number << 1)
    written = bytearray()
    while left > 0x7F:
        written.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*written, left])


def _field(text: bytes | None) -> bytes:
    return _varint(-1) if text is None else _varint(len(text)) + text
