"""What is told: answers to those who wait, dead letters, counts."""

from dataclasses import replace

import pytest

from domain.errors import ErrorCode, Fenced, NotPublished, PoisonRecord, StoreUnavailable
from domain.ports.core import Reply
from domain.shipments.commands import Command
from domain.shipments.status import Status
from messaging.dead_letters.records import DeadLetter
from tests.support.builders import NOON, creation, ends_at, report
from tests.support.records import LogRecord, record_of, records_of
from tests.unit.processor.rig import Rig, counters

DLQ = "shipments.events.dlq"
CREATION = creation(request_key="key of a")
PICKED_UP = report(Status.PICKED_UP)


async def answered(rig: Rig, *commands: Command) -> list[Reply]:
    """Apply `commands` with somebody waiting for the last one; return what was said."""
    partition = await rig.applied(*commands[:-1]) if commands[1:] else await rig.partition()
    await partition.handle([record_of(commands[-1], len(commands) - 1, reply_to="answers:a")])
    return rig.answers.sent["answers:a"]


async def test_a_creation_is_answered_with_the_shipment_that_stands(rig: Rig) -> None:
    [answer] = await answered(rig, CREATION)
    assert answer == Reply(
        event_id=CREATION.event_id,
        outcome="applied",
        reason=None,
        client_id="client_001",
        timestamp=NOON,
        status=Status.CREATED,
        version=1,
    )


async def test_a_repeated_creation_is_answered_with_the_first_ones_time(rig: Rig) -> None:
    later = replace(CREATION, timestamp=NOON.replace(hour=13), received_at=NOON.replace(hour=13))
    [answer] = await answered(rig, CREATION, later)
    assert (answer.outcome, answer.reason, answer.timestamp) == ("applied", None, NOON)


async def test_the_same_key_with_another_shipment_is_a_conflict(rig: Rig) -> None:
    [answer] = await answered(rig, CREATION, creation(request_key="key of a", weight_kg=9))
    assert answer.reason is ErrorCode.IDEMPOTENCY_CONFLICT


@pytest.mark.parametrize("key", ["key of b", None])
async def test_a_number_that_somebody_elses_shipment_has_is_taken(rig: Rig, key: str | None) -> None:
    [answer] = await answered(rig, CREATION, creation(request_key=key, client_id="client_002"))
    assert answer.reason is ErrorCode.TRACKING_NUMBER_TAKEN


async def test_two_creations_without_a_key_are_not_the_same_request(rig: Rig) -> None:
    [answer] = await answered(rig, creation(), creation(weight_kg=9))
    assert answer.reason is ErrorCode.TRACKING_NUMBER_TAKEN


async def test_a_rejected_event_is_answered_with_its_reason(rig: Rig) -> None:
    [answer] = await answered(rig, CREATION, report(Status.DELIVERED))
    assert (answer.outcome, answer.reason) == ("rejected", ErrorCode.INVALID_TRANSITION)


async def test_an_event_that_says_something_else_is_answered_as_a_conflict(rig: Rig) -> None:
    [answer] = await answered(rig, CREATION, PICKED_UP, replace(PICKED_UP, notes="something else"))
    assert (answer.outcome, answer.reason) == ("applied", ErrorCode.IDEMPOTENCY_CONFLICT)


async def test_each_of_those_who_wait_gets_its_own_answers(rig: Rig) -> None:
    partition = await rig.partition()
    records = [record_of(CREATION, 0, reply_to="answers:a"), record_of(PICKED_UP, 1, reply_to="answers:b")]
    await partition.handle([*records, record_of(report(Status.DELIVERED), 2)])
    told = {address: [answer.event_id for answer in some] for address, some in rig.answers.sent.items()}
    assert told == {"answers:a": [CREATION.event_id], "answers:b": [PICKED_UP.event_id]}


async def test_an_unreadable_record_in_a_batch_is_poison_and_nothing_is_written(rig: Rig) -> None:
    partition = await rig.partition()
    with pytest.raises(PoisonRecord):
        await partition.handle([*records_of(CREATION), LogRecord(1, b"{")])
    assert rig.documents.events == {}


async def test_a_dead_letter_is_kept_in_its_topic_and_recorded_if_it_can_be_read(rig: Rig) -> None:
    partition = await rig.partition()
    await partition.bury(DeadLetter(record_of(PICKED_UP, 5), "unprocessable", "ValueError: bug", 5))
    event = rig.event(PICKED_UP)
    assert (event["outcome"], event["reason"], event["offset"]) == ("dead", "ValueError: bug", 5)
    [letter] = rig.dead_letters.topics[DLQ]
    assert letter.value == record_of(PICKED_UP, 5).value


async def test_a_dead_letter_that_cannot_be_read_is_kept_in_its_topic_alone(rig: Rig) -> None:
    partition = await rig.partition()
    await partition.bury(DeadLetter(LogRecord(5, b"\xff"), "unreadable", "Invalid JSON", 1))
    assert [letter.value for letter in rig.dead_letters.topics[DLQ]] == [b"\xff"]
    assert rig.documents.events == {}


async def test_the_audit_log_speaks_of_a_dead_letter_only_when_its_topic_has_it(rig: Rig) -> None:
    partition = await rig.partition()
    rig.dead_letters.fail_next("append", NotPublished("away"))
    letter = DeadLetter(record_of(PICKED_UP, 5), "unprocessable", "bug", 5)
    with pytest.raises(NotPublished):
        await partition.bury(letter)
    assert rig.documents.events == {}
    rig.store.fail_next("bury", StoreUnavailable("away"))
    with pytest.raises(StoreUnavailable):
        await partition.bury(letter)
    await partition.bury(letter)
    assert rig.event(PICKED_UP)["outcome"] == "dead"


async def test_a_dead_event_that_is_sent_again_is_judged_again(rig: Rig) -> None:
    partition = await rig.applied(CREATION)
    await partition.bury(DeadLetter(record_of(PICKED_UP, 1), "unprocessable", "bug", 5))
    await partition.handle(records_of(PICKED_UP, first_offset=2))
    assert rig.event(PICKED_UP)["outcome"] == "applied"
    assert counters(rig.event(PICKED_UP)) == (2, 0, 0)


async def test_the_death_of_an_event_does_not_undo_what_was_recorded_of_it(rig: Rig) -> None:
    partition = await rig.applied(CREATION, PICKED_UP)
    await partition.bury(DeadLetter(record_of(PICKED_UP, 2), "unprocessable", "bug", 5))
    assert rig.event(PICKED_UP)["outcome"] == "applied"


async def test_records_are_counted_by_what_became_of_them(rig: Rig) -> None:
    conflict = replace(PICKED_UP, notes="something else")
    partition = await rig.applied(CREATION, PICKED_UP, PICKED_UP, conflict, report(Status.DELIVERED))
    await partition.open(ends_at(100))
    await partition.handle(records_of(report(Status.IN_WAREHOUSE), first_offset=5))
    await partition.handle(records_of(report(Status.IN_WAREHOUSE), first_offset=5))
    assert rig.count("applied") == 3
    assert rig.count("rejected", "INVALID_TRANSITION") == 1
    assert [rig.count(kind) for kind in ("duplicate", "conflict", "replayed")] == [1, 1, 1]
    assert rig.registry.get_sample_value("waybill_batch_records_count") == 3
    assert rig.registry.get_sample_value("waybill_batch_records_sum") == 7


async def test_a_batch_that_fails_is_not_counted(rig: Rig) -> None:
    partition = await rig.partition()
    rig.store.fail_next("commit", StoreUnavailable("away"))
    with pytest.raises(StoreUnavailable):
        await partition.handle(records_of(CREATION))
    assert rig.registry.get_sample_value("waybill_batch_records_count") == 0


async def test_a_dead_letter_is_noted_where_it_stands_once_its_topic_has_it(rig: Rig) -> None:
    partition = await rig.partition()
    rig.index.fail_next("record", StoreUnavailable("away"))
    letter = DeadLetter(record_of(PICKED_UP, 5), "unprocessable", "bug", 5)
    with pytest.raises(StoreUnavailable):
        await partition.bury(letter)
    assert rig.documents.events == {}
    await partition.bury(letter)
    await partition.bury(DeadLetter(LogRecord(6, None, None), "unreadable", "no value", 1))
    noted = rig.documents.dead_letters
    assert list(noted) == ["dl_0_0", "dl_0_1"]
    assert (noted["dl_0_0"]["event_id"], noted["dl_0_0"]["timestamp"]) == (PICKED_UP.event_id, NOON)
    assert (noted["dl_0_1"]["event_id"], noted["dl_0_1"]["key"]) == (None, None)


@pytest.mark.parametrize(("port", "call"), [("index", "record"), ("store", "bury")])
async def test_a_dead_letter_is_written_once_however_long_the_store_is_away(
    rig: Rig, port: str, call: str
) -> None:
    partition = await rig.partition()
    letter = DeadLetter(record_of(PICKED_UP, 5), "unprocessable", "bug", 5)
    for _ in range(3):
        getattr(rig, port).fail_next(call, StoreUnavailable("away"))
        with pytest.raises(StoreUnavailable):
            await partition.bury(letter)
    await partition.bury(letter)
    assert len(rig.dead_letters.topics[DLQ]) == len(rig.documents.dead_letters) == 1
    await partition.bury(letter)
    assert len(rig.dead_letters.topics[DLQ]) == 2, "what has passed is forgotten"


@pytest.mark.parametrize("value", [record_of(PICKED_UP, 5).value, b"{"])
async def test_what_is_buried_is_not_read_again_by_the_next_owner(rig: Rig, value: bytes) -> None:
    partition = await rig.partition()
    await partition.bury(DeadLetter(LogRecord(5, value), "unprocessable", "bug", 5))
    assert (await partition.open(ends_at(100))).next_offset == 6
    await partition.bury(DeadLetter(LogRecord(2, b"{"), "unreadable", "no JSON", 1))
    assert (await partition.open(ends_at(100))).next_offset == 6, "not even by a redelivery"


async def test_an_owner_before_buries_nothing_any_more(rig: Rig) -> None:
    before = await rig.partition()
    await rig.partition()
    with pytest.raises(Fenced):
        await before.bury(DeadLetter(record_of(PICKED_UP, 5), "unprocessable", "bug", 5))
    assert rig.documents.events == {}
