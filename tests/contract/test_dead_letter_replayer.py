"""`DeadLetterReplayer`: an existing dead letter is replayed as it was, an absent one is None."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from domain.errors import NotPublished
from domain.ports.dead_letters import DeadLetterReplayer, Replayed
from domain.processing.dead_letter import RecordPosition, dead_letter_id
from domain.shipments.status import Status
from messaging.dead_letters.records import DeadLetter, KafkaDeadLetters
from messaging.dead_letters.replayer import KafkaDeadLetterReplayer
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from tests.support.builders import report
from tests.support.fakes import InMemoryDeadLetterReplayer
from tests.support.producing import producer_on
from tests.support.records import LogRecord, RecordingProducer, record_of
from tests.support.topics import read_topic

PICKED_UP = report(Status.PICKED_UP)
READABLE = record_of(PICKED_UP, 41, reply_to="answers:a")
UNREADABLE = LogRecord(42, b"\xff{", READABLE.key)


@dataclass(frozen=True, slots=True)
class Graveyard:
    """Dead-letter topic with a readable and an unreadable dead letter in one partition."""

    replayer: DeadLetterReplayer
    readable: RecordPosition
    unreadable: RecordPosition


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.stack)])
def graveyard(request: pytest.FixtureRequest) -> Graveyard:
    chosen: Graveyard = request.getfixturevalue(f"{request.param}_graveyard")
    return chosen


@pytest.fixture
def memory_graveyard() -> Graveyard:
    letters = {
        RecordPosition(0, 0): Replayed(PICKED_UP.event_id),
        RecordPosition(0, 1): Replayed(None),
    }
    return Graveyard(InMemoryDeadLetterReplayer(letters), RecordPosition(0, 0), RecordPosition(0, 1))


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
    wanted = [graveyard.unreadable, RecordPosition(0, 10**17), graveyard.readable]
    found = [Replayed(None), None, Replayed(PICKED_UP.event_id)]
    assert await graveyard.replayer.replay(wanted, by="ana") == found
    assert await graveyard.replayer.replay(wanted[::-1], by="ana") == found[::-1], "again, and in any order"


@pytest.mark.parametrize(
    "place",
    [RecordPosition(0, 10**17), RecordPosition(1, 99), RecordPosition(99, 0), RecordPosition(999_999_999, 0)],
)
async def test_what_is_not_there_is_none(graveyard: Graveyard, place: RecordPosition) -> None:
    assert await graveyard.replayer.replay([place], by="ana") == [None]


@pytest.mark.stack
async def test_what_may_end_the_process_is_put_back_unread(kafka: KafkaSettings) -> None:
    topics = Topics(kafka.topic_prefix)
    async with producer_on(kafka) as producer:
        letter = DeadLetter(READABLE, "unprocessable", "the process ended 6 times", 6, unread=True)
        place = await KafkaDeadLetters(producer, topics).publish(letter)
        replayer = KafkaDeadLetterReplayer(kafka, producer)
        assert await replayer.replay([place], by="ana") == [Replayed(None)], "its event is not even named"
    [again] = await read_topic(kafka, topics.events)
    assert again.value == READABLE.value


@pytest.mark.stack
async def test_what_is_put_back_is_as_it_was_and_says_whose_replay_it_is(
    kafka_graveyard: Graveyard, kafka: KafkaSettings
) -> None:
    places = [kafka_graveyard.unreadable, kafka_graveyard.readable]
    await kafka_graveyard.replayer.replay([*places, places[0]], by="añá")
    records = await read_topic(kafka, Topics(kafka.topic_prefix).events)
    assert [(each.key, each.value, list(each.headers)) for each in records] == [
        (READABLE.key, READABLE.value, [*READABLE.headers, *headers_of(kafka_graveyard.readable)]),
        (UNREADABLE.key, UNREADABLE.value, headers_of(kafka_graveyard.unreadable)),
    ], "in the order in which they stood in the log, each once"


@pytest.mark.stack
async def test_a_replay_that_fails_again_names_the_last_dead_letter(
    kafka_graveyard: Graveyard, kafka: KafkaSettings
) -> None:
    async with producer_on(kafka) as producer:
        before = replace(UNREADABLE, headers=headers_of(kafka_graveyard.unreadable))
        letters = KafkaDeadLetters(producer, Topics(kafka.topic_prefix))
        place = await letters.publish(DeadLetter(before, "unreadable", "not JSON", 1))
    await kafka_graveyard.replayer.replay([place], by="luis")
    [record] = await read_topic(kafka, Topics(kafka.topic_prefix).events)
    assert list(record.headers) == headers_of(place, by="luis")


@pytest.mark.stack
async def test_a_hundred_go_back_in_the_order_of_the_log_whatever_the_order_of_the_request(
    kafka: KafkaSettings,
) -> None:
    topics = Topics(kafka.topic_prefix)
    async with producer_on(kafka) as producer:
        letters = KafkaDeadLetters(producer, topics)
        order = [37 * step % 100 for step in range(100)]
        places = [
            await letters.publish(DeadLetter(replace(READABLE, offset=offset), "unprocessable", "bug", 5))
            for offset in order
        ]
        replayed = await KafkaDeadLetterReplayer(kafka, producer).replay(places, by="ana")
    assert replayed == [Replayed(PICKED_UP.event_id)] * 100
    records = await read_topic(kafka, topics.events)
    stood_at = {dead_letter_id(place).encode(): offset for place, offset in zip(places, order, strict=True)}
    assert [stood_at[dict(record.headers)["replay-of"]] for record in records] == list(range(100))


@pytest.mark.stack
async def test_the_trouble_of_one_partition_is_not_another_s(kafka: KafkaSettings) -> None:
    topics = Topics(kafka.topic_prefix)
    async with producer_on(kafka) as producer:
        letters = KafkaDeadLetters(producer, topics)
        places = [
            await letters.publish(DeadLetter(replace(READABLE, partition=each), "unprocessable", "bug", 5))
            for each in (0, 1, 0)
        ]
    trouble = NotPublished("away")
    half = RecordingProducer()
    half.fail_next("append", trouble)
    replayed = await KafkaDeadLetterReplayer(kafka, half).replay(places, by="ana")
    assert replayed == [trouble, Replayed(PICKED_UP.event_id), trouble]
    [queued] = half.topics[topics.events]
    assert list(queued.headers)[-2:] == headers_of(places[1], by="ana")


def headers_of(place: RecordPosition, *, by: str = "añá") -> list[tuple[str, bytes]]:
    return [("replay-of", dead_letter_id(place).encode()), ("replayed-by", by.encode())]
