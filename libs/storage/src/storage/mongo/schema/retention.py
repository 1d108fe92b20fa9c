"""TTL indexes: documents that MongoDB deletes after the retention of the settings (ADR 0014)."""

from dataclasses import dataclass
from typing import Any, Final

import pymongo
from pymongo import ASCENDING, IndexModel

from domain.processing.batch import Outcome
from domain.processing.dead_letter import DeadLetterState
from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.schema import DEAD_LETTERS, STATUS_EVENTS
from storage.mongo.schema.migrations import STEP_WITHIN_S
from storage.settings import RetentionSettings

_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Rule:
    """Retention rule: documents of a collection that expire.

    Attributes:
        setting: the field of `RetentionSettings` with the days.
        only: filter of the partial index: other documents are not indexed and never expire.
    """

    collection: str
    index: str
    setting: str
    only: dict[str, Any]


RULES: Final = (
    Rule(
        STATUS_EVENTS,
        "rejected_expire",
        "events_rejected_keep_days",
        # Not retracted events, which were applied: their versions belong to the audit log (ADR 0025).
        {"outcome": Outcome.REJECTED.value, "version": None},
    ),
    Rule(
        DEAD_LETTERS,
        "settled_expire",
        "dead_letters_keep_days",
        {"state": {"$in": [DeadLetterState.DISCARDED.value, DeadLetterState.REPLAYED.value]}},
    ),
)


async def apply_retention(database: Database, settings: RetentionSettings) -> None:
    """Bring the TTL indexes in line with the settings; safe to repeat.

    Raises:
        StoreUnavailable: MongoDB refused or did not answer.
    """
    for rule in RULES:
        days = settings.days[rule.setting]
        with translated(), pymongo.timeout(STEP_WITHIN_S):
            await _apply(database, rule, None if days is None else days * _DAY_S)


async def _apply(database: Database, rule: Rule, after_s: int | None) -> None:
    collection = database[rule.collection]
    found = (await collection.index_information()).get(rule.index)
    if found is not None and (after_s is None or found["partialFilterExpression"] != rule.only):
        await collection.drop_index(rule.index)
        found = None
    if after_s is None:
        return
    if found is None:
        model = IndexModel(
            [("recorded_at", ASCENDING)],
            name=rule.index,
            expireAfterSeconds=after_s,
            partialFilterExpression=rule.only,
        )
        await collection.create_indexes([model])
    elif found["expireAfterSeconds"] != after_s:
        changed = {"name": rule.index, "expireAfterSeconds": after_s}
        await database.command("collMod", rule.collection, index=changed)
