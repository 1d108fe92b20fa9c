"""Published results: replies to waiting callers, dead letters, counts."""

from dataclasses import replace

import pytest

from domain.errors import Fenced, NotPublished, PoisonRecord, StoreUnavailable
from domain.ports.core import Reply
from domain.shipments.commands import Command
from domain.shipments.rejection import RejectionReason
from domain.shipments.status import Status
from messaging.dead_letters.records import DeadLetter
from tests.support.builders import NOON, creation, ends_at, report
from tests.support.records import LogRecord, record_of, records_of
from tests.unit.processor.harness import ProcessorHarness, counters

DLQ = "shipments.events.dlq"
CREATION = creation(request_key="key of a")
PICKED_UP = report(Status.PICKED_UP)


async def replies_to(harness: ProcessorHarness, *commands: Command) -> list[Reply]:
    """Apply `commands` with a caller waiting for the last one; return its replies."""
    partition = await harness.applied(*commands[:-1]) if commands[1:] else await harness.partition()
    await partition.handle([record_of(commands[-1], len(commands) - 1, reply_to="answers:a")])
    return harness.replies.sent["answers:a"]


async def test_a_creation_is_answered_with_the_shipment_that_stands(harness: ProcessorHarness) -> None:
    [reply] = await replies_to(harness, CREATION)
    assert reply == Reply(
        event_id=CREATION.event_id,
        outcome="applied",
        reason=None,
        client_id="client_001",
        timestamp=NOON,
        status=Status.CREATED,
        version=1,
    )


async def test_a_repeated_creation_is_answered_with_the_first_ones_time(harness: ProcessorHarness) -> None:
    later = replace(CREATION, timestamp=NOON.replace(hour=13), received_at=NOON.replace(hour=13))
    [reply] = await replies_to(harness, CREATION, later)
    assert (reply.outcome, reply.reason, reply.timestamp) == ("applied", None, NOON)


async def test_the_same_key_with_another_shipment_is_a_conflict(harness: ProcessorHarness) -> None:
    [reply] = await replies_to(harness, CREATION, creation(request_key="key of a", weight_kg=9))
    assert reply.reason is RejectionReason.IDEMPOTENCY_CONFLICT


@pytest.mark.parametrize("key", ["key of b", None])
async def test_a_number_that_somebody_elses_shipment_has_is_taken(
    harness: ProcessorHarness, key: str | None
) -> None:
    [reply] = await replies_to(harness, CREATION, creation(request_key=key, client_id="client_002"))
    assert reply.reason is RejectionReason.TRACKING_NUMBER_TAKEN


async def test_two_creations_without_a_key_are_not_the_same_request(harness: ProcessorHarness) -> None:
    [reply] = await replies_to(harness, creation(), creation(weight_kg=9))
    assert reply.reason is RejectionReason.TRACKING_NUMBER_TAKEN


async def test_a_rejected_event_is_answered_with_its_reason(harness: ProcessorHarness) -> None:
    [reply] = await replies_to(harness, CREATION, report(Status.DELIVERED))
    assert (reply.outcome, reply.reason) == ("rejected", RejectionReason.INVALID_TRANSITION)


async def test_an_event_that_says_something_else_is_answered_as_a_conflict(harness: ProcessorHarness) -> None:
    [reply] = await replies_to(harness, CREATION, PICKED_UP, replace(PICKED_UP, notes="something else"))
    assert (reply.outcome, reply.reason) == ("applied", RejectionReason.IDEMPOTENCY_CONFLICT)


async def test_each_waiting_caller_gets_its_own_reply(harness: ProcessorHarness) -> None:
    partition = await harness.partition()
    records = [record_of(CREATION, 0, reply_to="answers:a"), record_of(PICKED_UP, 1, reply_to="answers:b")]
    await partition.handle([*records, record_of(report(Status.DELIVERED), 2)])
    replies = {address: [reply.event_id for reply in some] for address, some in harness.replies.sent.items()}
    assert replies == {"answers:a": [CREATION.event_id], "answers:b": [PICKED_UP.event_id]}


async def test_an_unreadable_record_in_a_batch_is_poison_and_nothing_is_written(
    harness: ProcessorHarness,
) -> None:
    partition = await harness.partition()
    with pytest.raises(PoisonRecord):
        await partition.handle([*records_of(CREATION), LogRecord(1, b"{")])
    assert harness.documents.events == {}


async def test_a_dead_letter_is_kept_in_its_topic_and_recorded_if_it_can_be_read(
    harness: ProcessorHarness,
) -> None:
    partition = await harness.partition()
    await partition.dead_letter(DeadLetter(record_of(PICKED_UP, 5), "unprocessable", "ValueError: bug", 5))
    event = harness.event(PICKED_UP)
    assert (event["outcome"], event["reason"], event["offset"]) == ("dead", "ValueError: bug", 5)
    [dead_letter] = harness.dead_letters.topics[DLQ]
    assert dead_letter.value == record_of(PICKED_UP, 5).value


async def test_a_dead_letter_that_cannot_be_read_is_kept_in_its_topic_alone(
    harness: ProcessorHarness,
) -> None:
    partition = await harness.partition()
    await partition.dead_letter(DeadLetter(LogRecord(5, b"\xff"), "unreadable", "Invalid JSON", 1))
    assert [dead_letter.value for dead_letter in harness.dead_letters.topics[DLQ]] == [b"\xff"]
    assert harness.documents.events == {}


async def test_the_audit_log_has_a_dead_event_only_after_its_dead_letter(harness: ProcessorHarness) -> None:
    partition = await harness.partition()
    harness.dead_letters.fail_next("append", NotPublished("away"))
    dead_letter = DeadLetter(record_of(PICKED_UP, 5), "unprocessable", "bug", 5)
    with pytest.raises(NotPublished):
        await partition.dead_letter(dead_letter)
    assert harness.documents.events == {}
    harness.store.fail_next("dead_letter", StoreUnavailable("away"))
    with pytest.raises(StoreUnavailable):
        await partition.dead_letter(dead_letter)
    await partition.dead_letter(dead_letter)
    assert harness.event(PICKED_UP)["outcome"] == "dead"


async def test_a_dead_event_that_is_sent_again_is_judged_again(harness: ProcessorHarness) -> None:
    partition = await harness.applied(CREATION)
    await partition.dead_letter(DeadLetter(record_of(PICKED_UP, 1), "unprocessable", "bug", 5))
    await partition.handle(records_of(PICKED_UP, first_offset=2))
    assert harness.event(PICKED_UP)["outcome"] == "applied"
    assert counters(harness.event(PICKED_UP)) == (2, 0, 0)


async def test_the_death_of_an_event_does_not_undo_what_was_recorded_of_it(harness: ProcessorHarness) -> None:
    partition = await harness.applied(CREATION, PICKED_UP)
    await partition.dead_letter(DeadLetter(record_of(PICKED_UP, 2), "unprocessable", "bug", 5))
    assert harness.event(PICKED_UP)["outcome"] == "applied"


async def test_records_are_counted_by_what_became_of_them(harness: ProcessorHarness) -> None:
    conflict = replace(PICKED_UP, notes="something else")
    partition = await harness.applied(CREATION, PICKED_UP, PICKED_UP, conflict, report(Status.DELIVERED))
    await partition.open(ends_at(100))
    await partition.handle(records_of(report(Status.IN_WAREHOUSE), first_offset=5))
    await partition.handle(records_of(report(Status.IN_WAREHOUSE), first_offset=5))
    assert harness.count("applied") == 3
    assert harness.count("rejected", "INVALID_TRANSITION") == 1
    assert [harness.count(kind) for kind in ("duplicate", "conflict", "replayed")] == [1, 1, 1]
    assert harness.registry.get_sample_value("waybill_batch_records_count") == 3
    assert harness.registry.get_sample_value("waybill_batch_records_sum") == 7


async def test_a_batch_that_fails_is_not_counted(harness: ProcessorHarness) -> None:
    partition = await harness.partition()
    harness.store.fail_next("commit", StoreUnavailable("away"))
    with pytest.raises(StoreUnavailable):
        await partition.handle(records_of(CREATION))
    assert harness.registry.get_sample_value("waybill_batch_records_count") == 0


async def test_a_dead_letter_is_noted_where_it_stands_once_its_topic_has_it(
    harness: ProcessorHarness,
) -> None:
    partition = await harness.partition()
    harness.index.fail_next("record", StoreUnavailable("away"))
    dead_letter = DeadLetter(record_of(PICKED_UP, 5), "unprocessable", "bug", 5)
    with pytest.raises(StoreUnavailable):
        await partition.dead_letter(dead_letter)
    assert harness.documents.events == {}
    await partition.dead_letter(dead_letter)
    await partition.dead_letter(DeadLetter(LogRecord(6, None, None), "unreadable", "no value", 1))
    recorded = harness.documents.dead_letters
    assert list(recorded) == ["dl_0_0", "dl_0_1"]
    assert (recorded["dl_0_0"]["event_id"], recorded["dl_0_0"]["timestamp"]) == (PICKED_UP.event_id, NOON)
    assert (recorded["dl_0_1"]["event_id"], recorded["dl_0_1"]["key"]) == (None, None)


@pytest.mark.parametrize(("port", "call"), [("index", "record"), ("store", "dead_letter")])
async def test_a_dead_letter_is_written_once_however_long_the_store_is_away(
    harness: ProcessorHarness, port: str, call: str
) -> None:
    partition = await harness.partition()
    dead_letter = DeadLetter(record_of(PICKED_UP, 5), "unprocessable", "bug", 5)
    for _ in range(3):
        getattr(harness, port).fail_next(call, StoreUnavailable("away"))
        with pytest.raises(StoreUnavailable):
            await partition.dead_letter(dead_letter)
    await partition.dead_letter(dead_letter)
    assert len(harness.dead_letters.topics[DLQ]) == len(harness.documents.dead_letters) == 1
    await partition.dead_letter(dead_letter)
    assert len(harness.dead_letters.topics[DLQ]) == 2, "what has passed is forgotten"


@pytest.mark.parametrize("value", [record_of(PICKED_UP, 5).value, b"{"])
async def test_a_dead_lettered_record_is_not_read_again_by_the_next_owner(
    harness: ProcessorHarness, value: bytes
) -> None:
    partition = await harness.partition()
    await partition.dead_letter(DeadLetter(LogRecord(5, value), "unprocessable", "bug", 5))
    assert (await partition.open(ends_at(100))).next_offset == 6
    await partition.dead_letter(DeadLetter(LogRecord(2, b"{"), "unreadable", "no JSON", 1))
    assert (await partition.open(ends_at(100))).next_offset == 6, "not even by a redelivery"


async def test_a_former_owner_dead_letters_nothing(harness: ProcessorHarness) -> None:
    before = await harness.partition()
    await harness.partition()
    with pytest.raises(Fenced):
        await before.dead_letter(DeadLetter(record_of(PICKED_UP, 5), "unprocessable", "bug", 5))
    assert harness.documents.events == {}
