"""What the processor counts beside outcomes: trouble, latency, duplicates found."""

from datetime import timedelta

import pytest

from domain.errors import Fenced, StoreUnavailable
from domain.shipments.status import Status
from tests.support.builders import creation, report
from tests.support.records import records_of
from tests.unit.processor.rig import Rig


def value(rig: Rig, name: str, **labels: str) -> float | None:
    return rig.registry.get_sample_value(name, labels)


async def test_a_batch_counts_with_its_latency(rig: Rig) -> None:
    created = creation()
    rig.clock.advance(timedelta(days=1))
    await rig.applied(created, report(Status.PICKED_UP))
    assert value(rig, "waybill_event_latency_seconds_count") == 2
    assert value(rig, "waybill_batch_records_sum") == 2


async def test_what_is_redelivered_counts_once(rig: Rig) -> None:
    partition = await rig.applied(creation())
    await partition.handle(records_of(creation()))
    assert value(rig, "waybill_event_latency_seconds_count") == 1


async def test_a_batch_that_is_to_be_repeated_counts_by_its_trouble(rig: Rig) -> None:
    partition = await rig.partition()
    rig.store.fail_next("commit", StoreUnavailable("gone"))
    with pytest.raises(StoreUnavailable):
        await partition.handle(records_of(creation()))
    assert value(rig, "waybill_batch_retries_total", error="StoreUnavailable") == 1
    assert value(rig, "waybill_batch_seconds_count") == 0


async def test_a_lost_fence_counts(rig: Rig) -> None:
    partition = await rig.partition()
    await rig.partition()
    with pytest.raises(Fenced):
        await partition.handle(records_of(creation()))
    assert value(rig, "waybill_fence_losses_total") == 1


async def test_exact_duplicates_that_the_filter_knew_count(rig: Rig) -> None:
    partition = await rig.applied(creation())
    await partition.handle(records_of(creation(), report(Status.PICKED_UP), first_offset=1))
    assert value(rig, "waybill_dedup_lookups_total") == 3
    assert value(rig, "waybill_dedup_hits_total") == 1


async def test_what_alerts_look_at_is_there_before_anything_happens(rig: Rig) -> None:
    await rig.partition()
    assert value(rig, "waybill_events_total", outcome="dead", reason="unprocessable") == 0
    assert value(rig, "waybill_batch_retries_total", error="CommitUnknown") == 0
