"""`CommandLog`: what was appended is in the log, each shipment's commands in the order given."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from domain.errors import NotPublished
from domain.ports.core import CommandLog
from domain.shipments.commands import Command
from domain.shipments.status import Status
from messaging.settings import KafkaSettings
from tests.support.builders import NUMBER, ROUTE, creation, number, report
from tests.support.fakes import InMemoryCommandLog
from tests.support.producing import producer_on
from tests.support.topics import read_topic

STORY: list[Command] = [creation(request_key="digest"), *(report(status) for status in ROUTE)]
DETAILED = replace(
    report(Status.PICKED_UP, notes="al portón de atrás"),
    location={"lat": 4.65, "lng": -74.1, "address": "Calle 26"},
)


@dataclass(frozen=True, slots=True)
class Appended:
    """One record of the log, read back."""

    command: Command
    reply_to: str | None
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Log:
    """The log, a way to read all of it, and one that takes nothing."""

    log: CommandLog
    read: Callable[[], Awaitable[list[Appended]]]
    closed: CommandLog


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.stack)])
def log(request: pytest.FixtureRequest) -> Log:
    chosen: Log = request.getfixturevalue(f"{request.param}_log")
    return chosen


@pytest.fixture
def memory_log() -> Log:
    fake, closed = InMemoryCommandLog(), InMemoryCommandLog()
    closed.fail_next("append", NotPublished("closed"))

    async def read() -> list[Appended]:
        return [Appended(each.command, each.reply_to, each.traceparent) for each in fake.appended]

    return Log(fake, read, closed)


@pytest.fixture
async def kafka_log(kafka: KafkaSettings) -> AsyncIterator[Log]:
    from messaging import codec  # noqa: PLC0415  # only with the stack
    from messaging.producer.command_log import KafkaCommandLog  # noqa: PLC0415  # only with the stack
    from messaging.producer.idempotent_producer import ResilientProducer  # noqa: PLC0415  # only with the stack
    from messaging.topics import Topics  # noqa: PLC0415  # only with the stack

    topics = Topics(kafka.topic_prefix)

    async def read() -> list[Appended]:
        return [
            Appended(
                codec.decode(record.value).command,
                codec.header(record.headers, codec.REPLY_TO),
                codec.header(record.headers, codec.TRACEPARENT),
            )
            for record in await read_topic(kafka, topics.events)
        ]

    async with producer_on(kafka) as producer:
        yield Log(
            KafkaCommandLog(producer, topics, max_in_flight=1_000),
            read,
            KafkaCommandLog(ResilientProducer(kafka), topics, max_in_flight=1_000),
        )


def of_shipment(records: list[Appended], tracking_number: str) -> list[Command]:
    return [each.command for each in records if each.command.tracking_number == tracking_number]


@pytest.mark.parametrize("command", [creation(), *STORY[:2], DETAILED], ids=lambda each: each.event_id)
async def test_a_command_is_read_back_as_it_was_appended(log: Log, command: Command) -> None:
    await log.log.append([command])
    assert await log.read() == [Appended(command, None, None)]


async def test_what_came_along_is_read_back_too(log: Log) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    await log.log.append([DETAILED], reply_to="answers:1", traceparent=trace)
    assert await log.read() == [Appended(DETAILED, "answers:1", trace)]


async def test_commands_of_one_shipment_keep_the_order_given(log: Log) -> None:
    others = [creation(number(index)) for index in range(2, 30)]
    mixed = [command for pair in zip(STORY, others, strict=False) for command in pair]
    await log.log.append([*mixed, *others[len(STORY) :]])
    records = await log.read()
    assert of_shipment(records, NUMBER) == STORY
    assert {each.command.tracking_number for each in records} == {NUMBER, *(number(i) for i in range(2, 30))}


async def test_one_append_comes_after_the_one_before(log: Log) -> None:
    await log.log.append(STORY[:1])
    await log.log.append(STORY[1:4])
    await log.log.append(STORY[4:])
    assert [each.command for each in await log.read()] == STORY


async def test_the_same_command_twice_is_two_records(log: Log) -> None:
    await log.log.append([creation(), creation()])
    await log.log.append([creation()])
    assert len(await log.read()) == 3


async def test_nothing_to_append_is_nothing_done(log: Log) -> None:
    await log.log.append([])
    assert await log.read() == []


async def test_what_the_log_does_not_take_is_not_published(log: Log) -> None:
    with pytest.raises(NotPublished):
        await log.closed.append([creation()])
