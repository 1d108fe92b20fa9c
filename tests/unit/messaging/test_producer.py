"""Decisions of the producer: partitions, and errors without Kafka."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import NotPublished
from messaging.log.partitioning import partition_of
from messaging.producer.idempotent_producer import ResilientProducer
from messaging.producer.outgoing_record import OutgoingRecord
from messaging.settings import KafkaSettings

ALL_HASHES = 2**31

# The vectors of Kafka's own tests (org.apache.kafka.common.utils.UtilsTest), as signed 32-bit numbers.
MURMUR2 = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "murmur2"), MURMUR2.items())
def test_a_key_has_the_partition_that_kafkas_own_clients_choose(key: bytes, murmur2: int) -> None:
    positive = murmur2 & 0x7FFFFFFF
    assert partition_of(key, ALL_HASHES) == positive
    assert partition_of(key, 12) == positive % 12


@given(st.binary(max_size=40), st.integers(1, 200))
def test_every_key_has_one_partition_among_those_there_are(key: bytes, count: int) -> None:
    assert partition_of(key, count) == partition_of(key, count) in range(count)


async def test_nothing_is_published_before_there_is_a_connection() -> None:
    producer = ResilientProducer(KafkaSettings())
    assert not producer.is_started
    with pytest.raises(NotPublished, match="no connection"):
        await producer.append("topic", [OutgoingRecord(b"key", b"value", [])])
