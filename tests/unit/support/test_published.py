"""The checker finds wrong and missing messages, and dead letters that differ from their records."""

from dataclasses import replace

import pytest

from domain.processing.batch import Outcome
from domain.shipments.commands import Command
from domain.shipments.event_identity import EventId
from domain.shipments.status import Status
from tests.support.builders import ROUTE, creation, report
from tests.support.history import EventModel
from tests.support.observed import Logged, Observed, ObservedDeadLetter, PublishedMessage, digest_of
from tests.support.published import wrong_dead_letters, wrong_messages

JOURNEY: tuple[Command, ...] = (creation(), *(report(status) for status in ROUTE))
REJECTED = report(Status.DELIVERED, source="elsewhere")
DIED = Logged((1, 7), None, digest=digest_of(b"key", b"\xff"))


def events() -> dict[EventId, EventModel]:
    applied = {
        command.event_id: EventModel(command, "", Outcome.APPLIED, version=version)
        for version, command in enumerate(JOURNEY, 1)
    }
    return {**applied, REJECTED.event_id: EventModel(REJECTED, "", Outcome.REJECTED)}


def published(command: Command, version: int, *, said: bytes = b"") -> PublishedMessage:
    way = [None, "created", *ROUTE, "cancelled"]
    statuses = way[version - 1], str(way[version])
    return PublishedMessage(command.event_id, command.tracking_number, version, said, statuses)


@pytest.fixture
def topics() -> dict[str, list[PublishedMessage]]:
    """Give the published messages of a shipment."""
    changes = [published(command, version) for version, command in enumerate(JOURNEY, 1)]
    return {
        "shipments.changes": [*changes, changes[2]],
        "shipments.created": changes[:1],
        "shipments.delivered": changes[-1:],
        "shipments.location": [],
    }


def test_identical_repeated_messages_are_right(topics: dict[str, list[PublishedMessage]]) -> None:
    assert list(wrong_messages(events(), topics)) == []


@pytest.mark.parametrize("topic", ["shipments.changes", "shipments.created", "shipments.delivered"])
def test_a_missing_message_is_a_loss(topics: dict[str, list[PublishedMessage]], topic: str) -> None:
    lost = topics[topic].pop(0)
    assert f"{lost.event_id}: applied, but not published on {topic}" in wrong_messages(events(), topics)


def test_a_rejected_event_must_not_be_published(topics: dict[str, list[PublishedMessage]]) -> None:
    topics["shipments.changes"].append(published(REJECTED, 6))
    assert list(wrong_messages(events(), topics)) == [
        f"{REJECTED.event_id}: published on shipments.changes, but must not be"
    ]


def test_a_change_belongs_on_its_own_topics_only(topics: dict[str, list[PublishedMessage]]) -> None:
    topics["shipments.created"].append(topics["shipments.changes"][1])
    assert list(wrong_messages(events(), topics)) == [
        f"{JOURNEY[1].event_id}: published on shipments.created, but must not be"
    ]


def test_one_id_with_two_contents_is_not_stable(topics: dict[str, list[PublishedMessage]]) -> None:
    topics["shipments.delivered"].append(published(JOURNEY[-1], len(JOURNEY), said=b"otherwise"))
    assert list(wrong_messages(events(), topics)) == [
        f"{JOURNEY[-1].event_id}: published on shipments.delivered in 2 ways"
    ]


def test_a_wrong_version_is_found(topics: dict[str, list[PublishedMessage]]) -> None:
    topics["shipments.delivered"] = [published(JOURNEY[-1], 4)]
    assert list(wrong_messages(events(), topics)) == [
        f"{JOURNEY[-1].event_id}: version 4 on shipments.delivered, not 5"
    ]


def test_a_wrong_previous_status_is_found(topics: dict[str, list[PublishedMessage]]) -> None:
    changes = topics["shipments.changes"]
    changes[3] = changes[3]._replace(statuses=("created", "in_transit"))
    [fault] = wrong_messages(events(), topics)
    assert (
        fault == f"{changes[3].tracking_number}: version 4 has the previous status created, not in_warehouse"
    )


def test_dead_letters_hold_the_original_bytes() -> None:
    dead_letter = ObservedDeadLetter(DIED.place, DIED.digest, "Invalid JSON")
    observed = Observed([DIED], {}, {}, [dead_letter])
    assert list(wrong_dead_letters(observed)) == []
    assert list(wrong_dead_letters(replace(observed, dead_letters=[]))) == [
        "record (1, 7): cannot be decoded, but is no dead letter"
    ]
    assert list(
        wrong_dead_letters(replace(observed, dead_letters=[dead_letter._replace(digest=b"other")]))
    ) == ["dead letter of (1, 7): not the original bytes"]
    assert list(
        wrong_dead_letters(replace(observed, dead_letters=[dead_letter, dead_letter._replace(place=(1, 8))]))
    ) == ["dead letter of (1, 8): no such record in the log"]


def test_a_record_without_key_and_value_equals_an_empty_one() -> None:
    assert digest_of(None, None) == digest_of(b"", b"")
    assert digest_of(b"key", None) != digest_of(None, b"key")
