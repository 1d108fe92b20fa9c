"""Processor metrics besides outcomes: errors, latency, duplicates found."""

from datetime import timedelta

import pytest

from domain.errors import Fenced, StoreUnavailable
from domain.shipments.status import Status
from tests.support.builders import creation, report
from tests.support.records import records_of
from tests.unit.processor.harness import ProcessorHarness


def value(harness: ProcessorHarness, name: str, **labels: str) -> float | None:
    return harness.registry.get_sample_value(name, labels)


async def test_a_batch_counts_with_its_latency(harness: ProcessorHarness) -> None:
    created = creation()
    harness.clock.advance(timedelta(days=1))
    await harness.applied(created, report(Status.PICKED_UP))
    assert value(harness, "waybill_event_latency_seconds_count") == 2
    assert value(harness, "waybill_batch_records_sum") == 2


async def test_redelivered_records_count_once(harness: ProcessorHarness) -> None:
    partition = await harness.applied(creation())
    await partition.handle(records_of(creation()))
    assert value(harness, "waybill_event_latency_seconds_count") == 1


async def test_a_batch_that_is_to_be_repeated_counts_by_its_trouble(harness: ProcessorHarness) -> None:
    partition = await harness.partition()
    harness.store.fail_next("commit", StoreUnavailable("gone"))
    with pytest.raises(StoreUnavailable):
        await partition.handle(records_of(creation()))
    assert value(harness, "waybill_batch_retries_total", error="StoreUnavailable") == 1
    assert value(harness, "waybill_batch_seconds_count") == 0


async def test_a_lost_fence_counts(harness: ProcessorHarness) -> None:
    partition = await harness.partition()
    await harness.partition()
    with pytest.raises(Fenced):
        await partition.handle(records_of(creation()))
    assert value(harness, "waybill_fence_losses_total") == 1


async def test_exact_duplicates_that_the_filter_knew_count(harness: ProcessorHarness) -> None:
    partition = await harness.applied(creation())
    await partition.handle(records_of(creation(), report(Status.PICKED_UP), first_offset=1))
    assert value(harness, "waybill_dedup_lookups_total") == 3
    assert value(harness, "waybill_dedup_hits_total") == 1


async def test_alert_series_exist_from_the_start(harness: ProcessorHarness) -> None:
    await harness.partition()
    assert value(harness, "waybill_events_total", outcome="dead", reason="unprocessable") == 0
    assert value(harness, "waybill_batch_retries_total", error="CommitUnknown") == 0
