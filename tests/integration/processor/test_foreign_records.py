"""Records of foreign producers affect themselves alone."""

from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.codec import zstd_encode

from domain.processing.halts import Start
from domain.shipments.status import Status
from messaging import codec
from messaging.consumer.partition import halting as halting_module
from messaging.decompressing import MAX_BATCH_BYTES
from messaging.log.partitioning import partition_of
from storage.mongo.schema import DEAD_LETTERS, SHIPMENTS
from tests.faults.matrix import Row
from tests.integration.processor.operating import Operator
from tests.support.builders import NUMBER, creation, number, report
from tests.support.raw_batches import batch, record, write_batch
from tests.support.site import Site, processing
from tests.support.topics import read_topic

pytestmark = [pytest.mark.stack, pytest.mark.fault(Row.FOREIGN_RECORDS)]

KEY = NUMBER.encode()
PICKED_UP = report(Status.PICKED_UP)
ZSTD = 4
STRANGER = number(2)
OTHERS = [creation(number(index)) for index in range(2, 10)]


async def errors(site: Site) -> list[str]:
    found = await site.database[DEAD_LETTERS].find(sort={"offset": 1}).to_list()
    return [f"{entry['reason']}: {entry['error']}" for entry in found]


async def test_a_header_that_nobody_can_read_costs_one_dead_letter_with_its_bytes(site: Site) -> None:
    here = partition_of(KEY, site.kafka.partitions)
    value = codec.encode(PICKED_UP)
    odd = record(0, key=KEY, value=value, headers=[(b"\xff\xfe", b"\0"), (b"", None)])
    async with processing(site):
        await site.send([creation(), *OTHERS])
        await write_batch(site.kafka, site.topics.events, here, batch([odd]))
        await site.send([report(Status.IN_WAREHOUSE)])
        await site.finished()
    assert await errors(site) == ["unreadable: the name of header b'\\xff\\xfe' is not UTF-8"]
    [dead_letter] = await read_topic(site.kafka, site.topics.dead_letters)
    assert (dead_letter.key, dead_letter.value) == (KEY, value)
    assert await site.database[SHIPMENTS].count_documents({}) == 1 + len(OTHERS)


@pytest.mark.parametrize("compression", [None, "gzip", "snappy", "lz4", "zstd"])
async def test_every_compression_is_read(site: Site, compression: str | None) -> None:
    async with AIOKafkaProducer(**site.kafka.connection(), compression_type=compression) as producer:
        for command in OTHERS[:2]:
            key = command.tracking_number.encode()
            place = partition_of(key, site.kafka.partitions)
            await producer.send_and_wait(site.topics.events, codec.encode(command), key=key, partition=place)
    async with processing(site):
        await site.finished()
    assert await site.database[SHIPMENTS].count_documents({}) == 2


async def test_a_record_in_another_place_than_its_keys_is_never_applied(site: Site) -> None:
    elsewhere = 1 - partition_of(KEY, site.kafka.partitions)
    async with processing(site):
        await site.send([creation()])
        await site.finished()
        value = codec.encode(PICKED_UP)
        await write_batch(
            site.kafka,
            site.topics.events,
            elsewhere,
            batch([record(0, key=KEY, value=value), record(1, key=STRANGER.encode(), value=value)]),
        )
        await site.finished()
    assert await errors(site) == [
        f"unreadable: partition: {elsewhere} is not that of the key, {1 - elsewhere}",
        f"unreadable: key: '{STRANGER}' is not the subject, {NUMBER}",
    ]
    assert await site.applied() == {creation().event_id}


async def test_a_reread_record_is_neither_dead_lettered_again_nor_a_halt(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halting_module, "ASK_AGAIN_S", 0.2)
    here = partition_of(KEY, site.kafka.partitions)
    operator = Operator(site, here)
    bomb = batch([record(0, key=KEY, value=bytes(MAX_BATCH_BYTES))], attributes=ZSTD, encode=zstd_encode)
    poison = batch([record(0, key=KEY, value=b"{")])
    async with processing(site):
        await site.send([creation()])
        for raw in (poison, bomb, poison):
            await write_batch(site.kafka, site.topics.events, here, raw)
        await site.send([PICKED_UP, *OTHERS])
        view = await operator.halted()
        assert view.halt is not None
        assert view.halt.problem.startswith("offset 2 cannot be read: BatchTooLarge")
        await operator.resume(Start.NEXT)
        await site.finished()
    again = replace(site, group=f"{site.group}-again")
    async with processing(again):
        await again.committed()
    dead_letters = await read_topic(site.kafka, site.topics.dead_letters)
    assert len(dead_letters) == len(await errors(site)) == 2
    others = {each.event_id for each in OTHERS}
    assert await site.applied() == {creation().event_id, PICKED_UP.event_id, *others}
