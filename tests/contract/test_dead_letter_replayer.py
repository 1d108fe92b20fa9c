"""`DeadLetterReplayer`: what is there is put back as it was, what is not there is None."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from domain.dead_letters import Place
from domain.ports import DeadLetterReplayer, Replayed
from domain.status import Status
from messaging.dead_letters import DeadLetter, KafkaDeadLetters
from messaging.replaying import KafkaDeadLetterReplayer
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from tests.contract.topics import producer_on
from tests.support.builders import report
from tests.support.fakes import InMemoryDeadLetterReplayer
from tests.support.records import LogRecord, record_of
from tests.support.topics import read_topic

PICKED_UP = report(Status.PICKED_UP)
READABLE = record_of(PICKED_UP, 41, reply_to="answers:a")
UNREADABLE = LogRecord(42, b"\xff{", READABLE.key)


@dataclass(frozen=True, slots=True)
class Graveyard:
    """Where one dead letter can be read and the next, in the same partition, cannot."""

    replayer: DeadLetterReplayer
    readable: Place
    unreadable: Place


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.stack)])
def graveyard(request: pytest.FixtureRequest) -> Graveyard:
    chosen: Graveyard = request.getfixturevalue(f"{request.param}_graveyard")
    return chosen


@pytest.fixture
def memory_graveyard() -> Graveyard:
    letters = {Place(0, 0): Replayed(PICKED_UP.event_id), Place(0, 1): Replayed(None)}
    return Graveyard(InMemoryDeadLetterReplayer(letters), *letters)


@pytest.fixture
async def kafka_graveyard(kafka: KafkaSettings) -> AsyncIterator[Graveyard]:
    async with producer_on(kafka) as producer:
        letters = KafkaDeadLetters(producer, Topics(kafka.topic_prefix))
        places = [
            await letters.publish(DeadLetter(record, "unprocessable", "bug", 5))
            for record in (READABLE, UNREADABLE)
        ]
        yield Graveyard(KafkaDeadLetterReplayer(kafka, producer), *places)


async def test_a_dead_letter_says_which_event_it_is_if_it_can_be_read(graveyard: Graveyard) -> None:
    assert await graveyard.replayer.replay(graveyard.readable) == Replayed(PICKED_UP.event_id)
    assert await graveyard.replayer.replay(graveyard.unreadable) == Replayed(None)
    assert await graveyard.replayer.replay(graveyard.readable) == Replayed(PICKED_UP.event_id), "again"


@pytest.mark.parametrize("place", [Place(0, 10**17), Place(1, 99), Place(99, 0), Place(999_999_999, 0)])
async def test_what_is_not_there_is_none(graveyard: Graveyard, place: Place) -> None:
    assert await graveyard.replayer.replay(place) is None


@pytest.mark.stack
async def test_what_is_put_back_is_as_it_was(kafka_graveyard: Graveyard, kafka: KafkaSettings) -> None:
    for place in (kafka_graveyard.readable, kafka_graveyard.unreadable):
        await kafka_graveyard.replayer.replay(place)
    records = await read_topic(kafka, Topics(kafka.topic_prefix).events)
    assert [(each.key, each.value, list(each.headers)) for each in records] == [
        (READABLE.key, READABLE.value, list(READABLE.headers)),
        (UNREADABLE.key, UNREADABLE.value, []),
    ]
