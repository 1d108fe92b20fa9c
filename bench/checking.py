"""Check of what a contender left behind: outcomes, histories, and messages of changes.

The same for all of them, and counted: a figure of a wrong result is none.
"""

from collections.abc import Mapping
from typing import Any, Final

from bench.filling import Filling
from bench.load import WALK
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # it is documented
from pymongo.database import Database

from domain.shipments.event_identity import EventId
from messaging.topics import Topics

HISTORY: Final = {
    "status_history": {"$size": len(WALK) + 1},
    **{f"status_history.{index}.status": status.value for index, status in enumerate(WALK, start=1)},
    "current_status": WALK[-1].value,
    "version": len(WALK) + 1,
}
"""Every life in the topic is complete, in this order."""


class DerivedTopics:
    """The derived topics that begin with a prefix."""

    def __init__(self, brokers: str, prefix: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": brokers})
        known, topics = self._admin.list_topics().topics, Topics(prefix)
        self._ends = {
            TopicPartition(topic, number): OffsetSpec.latest()  # type: ignore[no-untyped-call]  # it has no hints
            for topic in (topics.changes, topics.delivered, topics.location)
            for number in known[topic].partitions
        }

    def count(self) -> int:
        """Return how many messages there are; none is ever deleted here."""
        return sum(end.result().offset for end in self._admin.list_offsets(self._ends).values())


def published(filling: Filling) -> int:
    """Return how many messages the changes of a filling are: all have a location, each life one delivery."""
    applied = sum(outcome == "applied" for outcome in filling.outcomes.values())
    return 2 * applied + len(filling.numbers)


def are_whole(database: Database[dict[str, Any]], filling: Filling) -> bool:
    """Whether every shipment has its whole history."""
    return database["shipments"].count_documents(HISTORY) == len(filling.numbers)


def recorded_outcomes(database: Database[dict[str, Any]]) -> dict[EventId, str]:
    """Return the outcome of each event in the audit log."""
    found = database["status_events"].find({}, {"outcome": 1})
    return {each["_id"]: each["outcome"] for each in found}


def wrong_outcomes(recorded: Mapping[EventId, str], expected: Mapping[EventId, str]) -> list[str]:
    """Return the events whose outcome is missing or another, or that nobody sent."""
    return sorted(
        f"{event}: {recorded.get(event)}, not {expected.get(event)}"
        for event in recorded.keys() | expected.keys()
        if recorded.get(event) != expected.get(event)
    )
