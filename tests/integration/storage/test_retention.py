"""MongoDB deletes old rejected events and settled dead letters as configured, and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest

from storage.mongo.database import Database
from storage.mongo.schema import DEAD_LETTERS, STATUS_EVENTS
from storage.mongo.schema.retention import RULES, apply_retention
from storage.settings import RetentionSettings

pytestmark = pytest.mark.stack

NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=21)
YOUNG = NOW - timedelta(days=19)


def retention_settings(events: int | None, dead_letters: int | None) -> RetentionSettings:
    return RetentionSettings(EVENTS_REJECTED_KEEP_DAYS=events, DEAD_LETTERS_KEEP_DAYS=dead_letters)  # type: ignore[call-arg]


async def expiries(database: Database) -> list[int | None]:
    found = []
    for rule in RULES:
        index = (await database[rule.collection].index_information()).get(rule.index)
        found.append(None if index is None else index["expireAfterSeconds"] // 86_400)
    return found


async def test_the_indexes_follow_the_settings(database: Database) -> None:
    for events, dead_letters in ((0, 0), (20, None), (40, 40), (40, 40), (0, 15), (0, None)):
        await apply_retention(database, retention_settings(events, dead_letters))
        assert await expiries(database) == [events or None, dead_letters or None]
    await apply_retention(database, retention_settings(None, None))
    assert await expiries(database) == [30, None]


async def test_only_what_has_no_effect_any_more_is_deleted(database: Database) -> None:
    events: list[dict[str, object]] = [
        {"_id": f"evt_{outcome}_{age:%d}", "outcome": outcome, "recorded_at": age}
        for outcome in ("applied", "rejected", "dead")
        for age in (OLD, YOUNG)
    ]
    retracted = {"outcome": "rejected", "reason": "RETRACTED", "version": 5, "recorded_at": OLD}
    events.append({"_id": "evt_retracted", **retracted})
    dead_letters = [
        {"_id": f"dl_{state}_{age:%d}", "state": state, "recorded_at": age}
        for state in ("open", "replayed", "discarded")
        for age in (OLD, YOUNG)
    ]
    await database[STATUS_EVENTS].insert_many(events)
    await database[DEAD_LETTERS].insert_many(dead_letters)
    await apply_retention(database, retention_settings(20, 20))

    expired = set()
    for rule in RULES:
        # What MongoDB deletes: the members of the index that are too old. It looks once a minute.
        old = database[rule.collection].find({"recorded_at": {"$lt": NOW - timedelta(days=20)}})
        expired |= {each["_id"] async for each in old.hint(rule.index)}
    assert expired == {f"evt_rejected_{OLD:%d}", f"dl_replayed_{OLD:%d}", f"dl_discarded_{OLD:%d}"}
