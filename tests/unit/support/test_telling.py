"""The checker finds what is told wrongly, or not at all, and dead letters that are not what died."""

from dataclasses import replace

import pytest

from domain.processing.batch import Outcome
from domain.shipments.commands import Command
from domain.shipments.event_identity import EventId
from domain.shipments.status import Status
from tests.support.builders import ROUTE, creation, report
from tests.support.history import EventModel
from tests.support.observed import Letter, Logged, Observed, Told, digest_of
from tests.support.telling import wrong_letters, wrong_messages

JOURNEY: tuple[Command, ...] = (creation(), *(report(status) for status in ROUTE))
REJECTED = report(Status.DELIVERED, source="elsewhere")
DIED = Logged((1, 7), None, digest=digest_of(b"key", b"\xff"))


def events() -> dict[EventId, EventModel]:
    applied = {
        command.event_id: EventModel(command, "", Outcome.APPLIED, version=version)
        for version, command in enumerate(JOURNEY, 1)
    }
    return {**applied, REJECTED.event_id: EventModel(REJECTED, "", Outcome.REJECTED)}


def told(command: Command, version: int, *, said: bytes = b"") -> Told:
    return Told(command.event_id, command.tracking_number, version, said)


@pytest.fixture
def topics() -> dict[str, list[Told]]:
    """Give what is told of a delivery."""
    changes = [told(command, version) for version, command in enumerate(JOURNEY, 1)]
    return {
        "shipments.changes": [*changes, changes[2]],
        "shipments.created": changes[:1],
        "shipments.delivered": changes[-1:],
        "shipments.location": [],
    }


def test_what_is_told_more_than_once_but_alike_is_right(topics: dict[str, list[Told]]) -> None:
    assert list(wrong_messages(events(), topics)) == []


@pytest.mark.parametrize("topic", ["shipments.changes", "shipments.created", "shipments.delivered"])
def test_what_is_not_told_is_a_loss(topics: dict[str, list[Told]], topic: str) -> None:
    lost = topics[topic].pop(0)
    assert list(wrong_messages(events(), topics)) == [f"{lost.event_id}: applied, but not told on {topic}"]


def test_what_was_rejected_must_not_be_told(topics: dict[str, list[Told]]) -> None:
    topics["shipments.changes"].append(told(REJECTED, 6))
    assert list(wrong_messages(events(), topics)) == [
        f"{REJECTED.event_id}: told on shipments.changes, but must not be"
    ]


def test_a_change_belongs_on_its_own_topics_only(topics: dict[str, list[Told]]) -> None:
    topics["shipments.created"].append(topics["shipments.changes"][1])
    assert list(wrong_messages(events(), topics)) == [
        f"{JOURNEY[1].event_id}: told on shipments.created, but must not be"
    ]


def test_an_id_that_says_two_things_is_not_stable(topics: dict[str, list[Told]]) -> None:
    topics["shipments.delivered"].append(told(JOURNEY[-1], len(JOURNEY), said=b"otherwise"))
    assert list(wrong_messages(events(), topics)) == [
        f"{JOURNEY[-1].event_id}: told on shipments.delivered in 2 ways"
    ]


def test_a_version_that_is_told_wrongly_is_found(topics: dict[str, list[Told]]) -> None:
    topics["shipments.delivered"] = [told(JOURNEY[-1], 4)]
    assert list(wrong_messages(events(), topics)) == [
        f"{JOURNEY[-1].event_id}: told on shipments.delivered as version 4, not 5"
    ]


def test_dead_letters_are_what_died() -> None:
    letter = Letter(DIED.place, DIED.digest, "Invalid JSON")
    observed = Observed([DIED], {}, {}, [letter])
    assert list(wrong_letters(observed)) == []
    assert list(wrong_letters(replace(observed, letters=[]))) == [
        "record (1, 7): cannot be read, but is no dead letter"
    ]
    assert list(wrong_letters(replace(observed, letters=[letter._replace(digest=b"other")]))) == [
        "dead letter of (1, 7): not the bytes that died"
    ]
    assert list(wrong_letters(replace(observed, letters=[letter, letter._replace(place=(1, 8))]))) == [
        "dead letter of (1, 8): there is no such record in the log"
    ]


def test_a_record_without_key_and_value_is_kept_as_an_empty_one() -> None:
    assert digest_of(None, None) == digest_of(b"", b"")
    assert digest_of(b"key", None) != digest_of(None, b"key")
