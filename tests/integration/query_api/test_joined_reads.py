"""Reads by id that arrive together: one query for each scope, and to each reader what it may see."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from domain.errors import StoreUnavailable
from domain.ports.core import Document
from domain.ports.queries import EVERYTHING, Scope
from storage.mongo.database import Database
from storage.mongo.queries import joined_reads
from storage.mongo.queries.joined_reads import MOST_JOINED, JoinedReads
from storage.mongo.schema import SHIPMENTS
from tests.support.query_plans import profile_anew, profiled_reads

pytestmark = pytest.mark.stack

FIELDS = ("client_id",)
ANA, BEN = Scope(client_id="ana"), Scope(client_id="ben")


@pytest.fixture
async def reads(database: Database) -> JoinedReads:
    """Give reads of more shipments than one query may have: Ben has the first, Ana the others."""
    await database[SHIPMENTS].insert_many(
        {"_id": str(index), "client_id": "ana" if index else "ben"} for index in range(MOST_JOINED + 20)
    )
    await profile_anew(database)
    return JoinedReads(database[SHIPMENTS], FIELDS)


async def ids(reads: JoinedReads, wanted: Sequence[tuple[str, Scope]]) -> list[str | None]:
    """Read concurrently and return the ids of what was found."""
    found = await asyncio.gather(*(reads.get(*each) for each in wanted))
    return [None if each is None else each["_id"] for each in found]


async def queries(database: Database) -> list[dict[str, Any]]:
    return [read["command"]["filter"] for read in await profiled_reads(database, [SHIPMENTS])]


async def test_each_reader_gets_its_own_and_nobody_what_is_outside_its_scope(
    database: Database, reads: JoinedReads
) -> None:
    wanted = [("1", ANA), ("0", ANA), ("0", BEN), ("1", BEN), ("none", ANA), ("0", EVERYTHING), ("1", ANA)]
    assert await ids(reads, wanted) == ["1", None, "0", None, None, "0", "1"]
    assert sorted(str(each.get("client_id")) for each in await queries(database)) == [
        "None",
        "{'$eq': 'ana'}",
        "{'$eq': 'ben'}",
    ]


async def test_a_query_has_a_bound(database: Database, reads: JoinedReads) -> None:
    wanted = [str(index) for index in range(MOST_JOINED + 20)]
    assert await ids(reads, [(each, EVERYTHING) for each in wanted]) == wanted
    assert sorted(len(each["_id"]["$in"]) for each in await queries(database)) == [20, MOST_JOINED]


class SlowReads(JoinedReads):
    """Reads whose query for shipment 1 takes until it is released."""

    def __init__(self, database: Database) -> None:
        super().__init__(database[SHIPMENTS], FIELDS)
        self.released = asyncio.Event()

    async def _find(self, wanted: set[str], scope: Scope) -> dict[str, Document]:
        if "1" in wanted:
            await self.released.wait()
        return await super()._find(wanted, scope)


async def test_those_that_come_during_a_query_are_the_next_one(
    database: Database, reads: JoinedReads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joined_reads, "LONGEST_WAIT_S", 10.0)
    assert await ids(reads, [("1", ANA)]) == ["1"]
    await profile_anew(database)
    slow_reads = SlowReads(database)
    first = asyncio.ensure_future(slow_reads.get("1", ANA))
    await asyncio.sleep(0)
    others = asyncio.ensure_future(ids(slow_reads, [("2", ANA), ("3", ANA)]))
    await asyncio.sleep(0.05)
    assert not others.done()
    slow_reads.released.set()
    assert await others == ["2", "3"]
    assert first.done()
    assert [each["_id"] for each in await queries(database)] == [{"$eq": "1"}, {"$in": ["2", "3"]}]


async def test_a_slow_query_holds_nobody_up(database: Database, reads: JoinedReads) -> None:
    assert await ids(reads, [("1", ANA)]) == ["1"]
    slow_reads = SlowReads(database)
    slow = asyncio.ensure_future(slow_reads.get("1", ANA))
    await asyncio.sleep(0)
    assert await asyncio.wait_for(ids(slow_reads, [("2", ANA), ("3", ANA)]), 2) == ["2", "3"]
    assert not slow.done()
    slow_reads.released.set()
    assert await slow == {"_id": "1", "client_id": "ana"}


async def test_readers_of_one_document_do_not_share_it(reads: JoinedReads) -> None:
    one, other = await asyncio.gather(reads.get("1", ANA), reads.get("1", ANA))
    assert one == other
    assert one is not other


async def test_a_reader_that_leaves_takes_nothing_from_the_others(reads: JoinedReads) -> None:
    leaving = asyncio.ensure_future(reads.get("1", ANA))
    staying = asyncio.ensure_future(reads.get("2", ANA))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying) == {"_id": "2", "client_id": "ana"}


async def test_each_reader_gets_the_error_of_the_query(database: Database, reads: JoinedReads) -> None:
    refused = JoinedReads(database[SHIPMENTS], ("$refused",))
    errors = await asyncio.gather(refused.get("1", ANA), refused.get("2", ANA), return_exceptions=True)
    assert [type(error) for error in errors] == [StoreUnavailable] * 2
    assert errors[0] is not errors[1]
    assert await ids(reads, [("1", ANA)]) == ["1"]
