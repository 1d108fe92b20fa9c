"""Replayed dead letters: each replay is recorded once, whatever the outcome of the record."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from domain.errors import NotPublished, PoisonRecord, StoreUnavailable
from domain.processing.dead_letter import DeadLetterState
from domain.shipments.status import Status
from messaging.dead_letters.records import DeadLetter, replays_in
from tests.support.builders import NOON, creation, dead_letter, report
from tests.support.records import LogRecord, record_of, records_of
from tests.unit.processor.harness import ProcessorHarness, counters

Headers = Sequence[tuple[str, bytes]]

CREATION = creation()
PICKED_UP = report(Status.PICKED_UP)
MARKS: Headers = [("replay-of", b"dl_0_7"), ("replayed-by", b"ana")]


def marked(record: LogRecord, marks: Headers = MARKS) -> LogRecord:
    return replace(record, headers=[*record.headers, *marks])


@pytest.fixture(autouse=True)
def replayable_dead_letter(harness: ProcessorHarness) -> None:
    harness.documents.dead_letters["dl_0_7"] = dead_letter(7)


def replays_and_state(harness: ProcessorHarness) -> tuple[int, str]:
    """Return the number of replays and the state of the dead letter; check the log of actions."""
    kept = harness.documents.dead_letters["dl_0_7"]
    actions = [(each["action"], each["by"], each["target"]) for each in harness.documents.actions.values()]
    assert actions == [("dead_letter.replayed", "ana", "dl_0_7")] * kept["replays"]
    return kept["replays"], kept["state"]


async def test_a_replay_is_noted_when_it_is_applied(harness: ProcessorHarness) -> None:
    partition = await harness.applied(CREATION)
    await partition.handle([marked(record_of(PICKED_UP, 1))])
    assert harness.statuses(CREATION.tracking_number) == ["created", "picked_up"]
    assert replays_and_state(harness) == (1, DeadLetterState.REPLAYED)
    assert harness.documents.dead_letters["dl_0_7"]["last_replay"] == {
        "by": "ana",
        "at": NOON,
        "topic": "shipments.events",
        "partition": 0,
        "offset": 1,
    }


async def test_a_replay_counts_once_for_each_position_in_the_log(harness: ProcessorHarness) -> None:
    partition = await harness.applied(CREATION)
    batch = [marked(record_of(PICKED_UP, offset)) for offset in (1, 2)]
    await partition.handle(batch)
    await partition.handle(batch)
    assert replays_and_state(harness) == (2, DeadLetterState.REPLAYED)
    assert counters(harness.event(PICKED_UP)) == (1, 1, 0)


@pytest.mark.parametrize("after", [False, True])
async def test_an_unrecorded_replay_is_recorded_when_the_batch_is_retried(
    harness: ProcessorHarness,
    after: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    partition = await harness.applied(CREATION)
    harness.index.fail_next("note_replay", StoreUnavailable("away"), after=after)
    with pytest.raises(StoreUnavailable):
        await partition.handle([marked(record_of(PICKED_UP, 1))])
    assert harness.event(PICKED_UP)["outcome"] == "applied", "committed before anybody notes it"
    await partition.handle([marked(record_of(PICKED_UP, 1))])
    assert replays_and_state(harness) == (1, DeadLetterState.REPLAYED)
    assert counters(harness.event(PICKED_UP)) == (1, 0, 0)


async def test_a_batch_that_is_not_committed_has_noted_nothing(harness: ProcessorHarness) -> None:
    partition = await harness.applied(CREATION)
    harness.store.fail_next("commit", StoreUnavailable("away"))
    with pytest.raises(StoreUnavailable):
        await partition.handle([marked(record_of(PICKED_UP, 1))])
    assert replays_and_state(harness) == (0, DeadLetterState.OPEN)


async def test_a_replay_that_dies_again_is_noted_and_its_dead_letter_says_whose_it_is(
    harness: ProcessorHarness,
) -> None:
    partition = await harness.partition()
    record = marked(LogRecord(5, b"\xff"))
    with pytest.raises(PoisonRecord):
        await partition.handle([record])
    dead_letter = DeadLetter(record, "unreadable", "not JSON", 1)
    harness.dead_letters.fail_next("append", NotPublished("away"))
    with pytest.raises(NotPublished):
        await partition.dead_letter(dead_letter)
    await partition.dead_letter(dead_letter)
    assert replays_and_state(harness) == (1, DeadLetterState.REPLAYED)
    again = harness.documents.dead_letters["dl_0_0"]
    assert (again["state"], again["replay_of"]) == (DeadLetterState.OPEN, "dl_0_7")
    assert again["headers"] == [
        {"name": "replay-of", "value": "dl_0_7"},
        {"name": "replayed-by", "value": "ana"},
    ]
    [kept] = harness.dead_letters.topics["shipments.events.dlq"]
    assert list(kept.headers)[:2] == list(MARKS)


async def test_headers_are_shown_in_part_and_as_text(harness: ProcessorHarness) -> None:
    partition = await harness.partition()
    many: Headers = [("x" * 500, b"\xff" * 500), *[("y", b"")] * 30]
    await partition.dead_letter(DeadLetter(replace(LogRecord(5), headers=many), "unreadable", "not JSON", 1))
    [first, *rest] = harness.documents.dead_letters["dl_0_0"]["headers"]
    assert first == {"name": "x" * 200, "value": "\ufffd" * 200}
    assert rest == [{"name": "y", "value": ""}] * 19


@pytest.mark.parametrize(
    "headers",
    [
        MARKS[:1],
        MARKS[1:],
        [("replay-of", b"dl_x_7"), ("replayed-by", b"ana")],
        [("replay-of", None), ("replayed-by", b"ana")],
        [("content-type", b"x"), ("reply-to", b"answers:a"), ("traceparent", b"00")],
    ],
)
def test_a_record_that_does_not_say_both_is_no_replay(headers: Headers) -> None:
    assert list(replays_in([replace(LogRecord(0), headers=headers)])) == []


def test_the_marks_may_stand_among_others() -> None:
    record = marked(records_of(PICKED_UP, reply_to="answers:a")[0], [*MARKS, ("x", b"")])
    [replay] = replays_in([LogRecord(0), record])
    assert (replay.dead_letter_id, replay.by, replay.at) == ("dl_0_7", "ana", NOON)
