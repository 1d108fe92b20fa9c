"""Query plans of the reads of a test, from MongoDB's profiler."""

from collections.abc import Collection
from typing import Any

from storage.mongo.database import Database

INDEXED = ("IXSCAN", "COUNT_SCAN", "IDHACK", "RECORD_STORE_FAST_COUNT", "EOF")


async def profile_anew(database: Database) -> None:
    """Forget the reads so far, and note those to come."""
    await database.command("profile", 0)
    await database["system.profile"].drop()
    await database.command("profile", 2)


async def profiled_reads(database: Database, collections: Collection[str]) -> list[dict[str, Any]]:
    """End the profile; return the reads of these collections, each of which has used an index."""
    await database.command("profile", 0)
    seen = await database["system.profile"].find({"op": {"$in": ["query", "command"]}}).to_list()
    reads = [each for each in seen if each["ns"].partition(".")[2] in collections]
    assert reads
    for read in reads:
        plan = read.get("planSummary", "")
        assert plan.startswith(INDEXED), plan
    return reads


def assert_unsorted(reads: Collection[dict[str, Any]]) -> None:
    """Check that none of the reads has sorted in memory."""
    for read in reads:
        assert not read.get("hasSortStage"), read["command"]
