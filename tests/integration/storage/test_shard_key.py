"""The shard key of docs/scaling.md, as far as one replica set can show it (ADR 0042).

The key is a slot, a function of the tracking number alone. Nothing stores it yet.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ports.queries import EventFilter, Window
from domain.shipments.status import Status
from messaging.log.partitioning import partition_of
from storage.mongo.database import Database
from storage.mongo.processing.shipment_store import MongoShipmentStore
from storage.mongo.queries.readers import MongoEventReader, MongoShipmentReader
from storage.mongo.schema import SHIPMENTS, STATUS_EVENTS
from tests.contract.writing import Writer
from tests.support.builders import NUMBER, checkpoint, creation, number, report
from tests.support.query_plans import profile_anew

FIRST: Final = 12
"""Partitions of the first generation; later ones have this many times a power of two."""
DOUBLINGS: Final = 8
SLOTS: Final = FIRST << DOUBLINGS

_NUMBER: Final = re.compile(r"99M-[0-9A-Z-]+")


def slot_of(tracking_number: str) -> int:
    """Return the slot of a shipment: each partition of each generation is a range of slots.

    The partition of the first generation, then one bit for each doubling, the first doubling's first.
    """
    rest, first = divmod(partition_of(tracking_number.encode(), SLOTS), FIRST)
    bits = f"{rest:0{DOUBLINGS}b}"[::-1]
    return first << DOUBLINGS | int(bits, 2)


def slots_of(partition: int, partitions: int) -> range:
    """Return the slots of a partition."""
    doublings = (partitions // FIRST).bit_length() - 1
    rest, first = divmod(partition, FIRST)
    bits = f"{rest:0{doublings}b}"[::-1] if doublings else "0"
    width = SLOTS // partitions
    begin = (first << DOUBLINGS) + int(bits, 2) * width
    return range(begin, begin + width)


@given(number=st.text(min_size=1, max_size=20), doublings=st.integers(0, DOUBLINGS))
def test_the_slot_of_a_number_is_in_the_range_of_its_partition_of_every_generation(
    number: str, doublings: int
) -> None:
    partitions = FIRST << doublings
    assert slot_of(number) in slots_of(partition_of(number.encode(), partitions), partitions)


@pytest.mark.parametrize("partitions", [FIRST << doublings for doublings in range(DOUBLINGS + 1)])
def test_the_ranges_of_a_generation_cover_each_slot_once(partitions: int) -> None:
    covered = [slot for partition in range(partitions) for slot in slots_of(partition, partitions)]
    assert sorted(covered) == list(range(SLOTS))


@pytest.mark.stack
async def test_every_read_and_write_of_the_pipeline_names_the_shipment_it_is_about(
    database: Database,
) -> None:
    store = MongoShipmentStore(database)
    writer = await Writer.of(store)
    others = [creation(number(index)) for index in range(2, 6)]
    await writer.write(creation(), *others)
    await profile_anew(database)

    await writer.write(report(Status.PICKED_UP), checkpoint())
    await store.load({NUMBER, number(2)})
    await store.find_events([creation().event_id])
    await MongoShipmentReader(database).get(NUMBER)
    await MongoEventReader(database).get(creation().event_id)
    await MongoEventReader(database).page(EventFilter(tracking_number=NUMBER), Window(limit=10))

    seen = [each async for each in _profiled(database)]
    assert {each["ns"].partition(".")[2] for each in seen} == {SHIPMENTS, STATUS_EVENTS}
    assert [each["command"] for each in seen if not _numbers(each)] == []
    assert {each["planSummary"].split(" ")[0] for each in seen if "planSummary" in each} <= {
        "IDHACK",
        "IXSCAN",
    }


async def _profiled(database: Database) -> Any:  # noqa: ANN401  # an iterator of documents
    await database.command("profile", 0)
    names = [f"{database.name}.{name}" for name in (SHIPMENTS, STATUS_EVENTS)]
    # An insert has its documents, and with them the slot; the profiler does not keep them.
    async for each in database["system.profile"].find({"ns": {"$in": names}, "op": {"$ne": "insert"}}):
        if each["command"].get("filter") != {"_id": {"$in": []}}:  # of nothing: the processor does not ask
            yield each


def _numbers(read: Mapping[str, Any]) -> set[str]:
    """Return the tracking numbers that the condition of an operation names, directly or in event ids."""
    command = read["command"]
    condition = command.get("filter", command.get("q", command.get("pipeline")))
    return {found for text in _texts(condition) for found in _NUMBER.findall(text)}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value
