"""Records of the topics: commands, changes, dead letters."""

from collections.abc import Sequence

import pytest
from aiokafka.errors import (
    MessageSizeTooLargeError,
    NotEnoughReplicasError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from domain.errors import DeadLetterRejected, NotPublished, PublishUnknown
from domain.processing.batch import Kind, Outcome, Verdict
from domain.shipments.commands import Command
from domain.shipments.rejection import RejectionReason
from domain.shipments.status import Status
from messaging import codec
from messaging.dead_letters.records import DeadLetter, KafkaDeadLetters
from messaging.producer.change_feed import KafkaChangeFeed
from messaging.producer.command_log import KafkaCommandLog
from messaging.topics import Topics
from tests.support import builders
from tests.support.builders import checkpoint, consumed, creation, number, report
from tests.support.records import LogRecord, RecordingProducer
from tests.unit.messaging.golden_commands import CHANGES

TOPICS = Topics("t-")
CREATION = creation()
PICKED_UP = report(Status.PICKED_UP)
DELIVERED = report(Status.DELIVERED)
LOCATED, _ = CHANGES["changed_status"]


def verdict_of(
    command: Command,
    kind: Kind = Kind.JUDGED,
    outcome: Outcome = Outcome.APPLIED,
    reason: RejectionReason | None = None,
) -> Verdict:
    sent = consumed(command)
    return Verdict(sent, kind, builders.record_of(sent, outcome, reason))


async def published(verdicts: Sequence[Verdict]) -> dict[str, list[bytes]]:
    """Return what the feed publishes, as values by the topic's name without its prefix."""
    producer = RecordingProducer()
    await KafkaChangeFeed(producer, TOPICS).publish(verdicts)
    return {
        topic.removeprefix("t-shipments."): [record.value for record in records]
        for topic, records in producer.topics.items()
    }


async def test_a_checkpoint_is_published_as_a_change_and_with_its_location() -> None:
    messages = await published([verdict_of(checkpoint())])
    assert {topic: len(values) for topic, values in messages.items()} == {"changes": 1, "location": 1}


async def test_an_applied_event_is_published_in_each_topic_whose_rule_it_meets() -> None:
    messages = await published([verdict_of(each) for each in (CREATION, PICKED_UP, DELIVERED, LOCATED)])
    counts = {topic: len(values) for topic, values in messages.items()}
    assert counts == {"changes": 4, "created": 1, "delivered": 1, "location": 1}
    assert messages["created"] == messages["changes"][:1]
    assert messages["delivered"] == messages["changes"][2:3]
    assert messages["location"] == messages["changes"][3:]


async def test_a_replayed_event_is_published_again_with_the_same_bytes() -> None:
    assert await published([verdict_of(PICKED_UP, Kind.REPLAYED)]) == await published([verdict_of(PICKED_UP)])


@pytest.mark.parametrize(
    "verdict",
    [
        verdict_of(PICKED_UP, Kind.DUPLICATE),
        verdict_of(PICKED_UP, Kind.CONFLICT),
        verdict_of(PICKED_UP, outcome=Outcome.REJECTED, reason=RejectionReason.INVALID_TRANSITION),
        verdict_of(PICKED_UP, Kind.REPLAYED, Outcome.REJECTED, RejectionReason.INVALID_TRANSITION),
        verdict_of(PICKED_UP, Kind.REPLAYED, Outcome.DEAD),
        Verdict(consumed(PICKED_UP, known_duplicate=True), Kind.DUPLICATE, None),
    ],
)
async def test_an_event_that_was_not_applied_is_not_published(verdict: Verdict) -> None:
    assert await published([verdict]) == {}


async def test_a_command_is_keyed_by_its_shipment() -> None:
    producer = RecordingProducer()
    log = KafkaCommandLog(producer, TOPICS, max_in_flight=10)
    await log.append([CREATION, PICKED_UP], reply_to="answers:me", traceparent="00-a")
    records = producer.topics["t-shipments.events"]
    assert [record.key.decode() for record in records] == [number(1)] * 2
    assert [codec.decode(record.value).command for record in records] == [CREATION, PICKED_UP]
    assert list(records[0].headers) == [
        ("content-type", b"application/cloudevents+json"),
        ("reply-to", b"answers:me"),
        ("traceparent", b"00-a"),
    ]


async def test_headers_are_written_only_where_needed() -> None:
    producer = RecordingProducer()
    await KafkaCommandLog(producer, TOPICS, max_in_flight=10).append([PICKED_UP])
    [record] = producer.topics["t-shipments.events"]
    assert [name for name, _ in record.headers] == ["content-type"]


async def test_what_is_more_than_may_wait_for_kafka_is_turned_away() -> None:
    producer = RecordingProducer()
    log = KafkaCommandLog(producer, TOPICS, max_in_flight=2)
    with pytest.raises(NotPublished):
        await log.append([CREATION, PICKED_UP, DELIVERED])
    assert producer.topics == {}


async def test_commands_that_are_large_together_are_turned_away_before_their_number_is_reached() -> None:
    producer = RecordingProducer()
    size = len(codec.encode(CREATION))
    log = KafkaCommandLog(producer, TOPICS, max_in_flight=10, max_in_flight_bytes=2 * size)
    await log.append([CREATION, CREATION])
    await log.append([CREATION, CREATION])
    with pytest.raises(NotPublished, match="bytes"):
        await log.append([CREATION] * 3)
    assert len(producer.topics["t-shipments.events"]) == 4


@pytest.mark.parametrize("fails", [True, False])
async def test_the_place_of_a_command_is_free_again_however_its_append_ends(
    fails: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    producer = RecordingProducer()
    log = KafkaCommandLog(producer, TOPICS, max_in_flight=2)
    if fails:
        producer.fail_next("append", NotPublished("away"))
        with pytest.raises(NotPublished):
            await log.append([CREATION, PICKED_UP])
    await log.append([CREATION, PICKED_UP])
    await log.append([DELIVERED])
    assert len(producer.topics["t-shipments.events"]) == 3


async def test_a_dead_letter_has_the_raw_record_its_position_and_the_reason() -> None:
    producer = RecordingProducer()
    record = LogRecord(
        17, b"\xff\x00", b"99M-x", [("reply-to", b"answers:a"), ("x", b"\xfe")], partition=3, timestamp=123
    )
    await KafkaDeadLetters(producer, TOPICS).publish(DeadLetter(record, "unreadable", "Ungültiges JSON", 1))
    [kept] = producer.topics["t-shipments.events.dlq"]
    assert (kept.key, kept.value) == (b"99M-x", b"\xff\x00")
    assert list(kept.headers) == [
        ("reply-to", b"answers:a"),
        ("x", b"\xfe"),
        ("dlq-reason", b"unreadable"),
        ("dlq-error", "Ungültiges JSON".encode()),
        ("dlq-topic", b"shipments.events"),
        ("dlq-partition", b"3"),
        ("dlq-offset", b"17"),
        ("dlq-timestamp", b"123"),
        ("dlq-attempts", b"1"),
    ]


async def test_a_dead_letter_may_have_neither_key_nor_value() -> None:
    producer = RecordingProducer()
    dead_letter = DeadLetter(LogRecord(0, None, None), "unreadable", "the record has no value", 1)
    await KafkaDeadLetters(producer, TOPICS).publish(dead_letter)
    [kept] = producer.topics["t-shipments.events.dlq"]
    assert (kept.key, kept.value) == (b"", b"")


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (MessageSizeTooLargeError(), DeadLetterRejected),
        (TopicAuthorizationFailedError(), DeadLetterRejected),
        (UnknownTopicOrPartitionError(), PublishUnknown),
        (NotEnoughReplicasError(), PublishUnknown),
        (None, PublishUnknown),
    ],
)
async def test_only_a_permanent_refusal_is_reported_as_one(
    cause: Exception | None, expected: type[Exception]
) -> None:
    producer = RecordingProducer()
    refused = PublishUnknown("Kafka said no")
    refused.__cause__ = cause
    producer.fail_next("append", refused)
    with pytest.raises(expected):
        await KafkaDeadLetters(producer, TOPICS).publish(DeadLetter(LogRecord(0), "unreadable", "bad", 1))
