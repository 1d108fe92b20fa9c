"""Dead-lettered events in the shipment store: recorded once, kept beside what stands, fenced."""

from dataclasses import replace

import pytest

from domain.errors import Fenced
from domain.ports.core import ShipmentStore
from domain.processing.batch import Outcome
from domain.shipments.status import Status
from tests.contract.writing import Storage, Writer, superseded
from tests.support.builders import (
    HEAVIER,
    RECORDED_AT,
    amendment,
    consumed,
    creation,
    payload_fingerprint,
    report,
)

CREATION = creation(request_key="digest-of-user-and-key")
PICKED_UP = report(Status.PICKED_UP)
OTHER_PICKED_UP = replace(PICKED_UP, notes="another thing of the same instant")


async def test_a_dead_event_is_recorded_and_may_be_applied_later(storage: Storage) -> None:
    store = storage.store
    writer = await Writer.of(store)
    await writer.write(CREATION)
    writer.fence = await store.dead_letter(
        writer.fence, consumed(PICKED_UP, 1), next_offset=2, reason="KeyError: 'x'", recorded_at=RECORDED_AT
    )
    assert writer.fence.next_offset == 2
    dead = (await store.find_events([PICKED_UP.event_id]))[PICKED_UP.event_id]
    assert dead is not None
    assert (dead.outcome, dead.reason, dead.last_offset) == (Outcome.DEAD, None, 1)
    assert dead.fingerprint == payload_fingerprint(PICKED_UP)
    writer.offset = 2
    await writer.write(PICKED_UP)
    document = await storage.events.get(PICKED_UP.event_id)
    assert document is not None
    assert (document["outcome"], document["reason"], document["attempts"]) == ("applied", None, 2)


async def test_a_dead_amendment_says_what_it_would_have_changed(storage: Storage) -> None:
    fence = (await Writer.of(storage.store)).fence
    await storage.store.dead_letter(
        fence, consumed(amendment(), 1), next_offset=2, reason="KeyError: 'x'", recorded_at=RECORDED_AT
    )
    document = await storage.events.get(amendment().event_id)
    assert document is not None
    assert (document["changes"], document["status"]) == (HEAVIER, None)


async def test_a_recorded_event_is_not_dead_lettered(store: ShipmentStore) -> None:
    writer = await Writer.of(store)
    await writer.write(CREATION)
    before = await store.find_events([CREATION.event_id])
    await store.dead_letter(
        writer.fence, consumed(CREATION, 9), next_offset=10, reason="KeyError: 'x'", recorded_at=RECORDED_AT
    )
    assert await store.find_events([CREATION.event_id]) == before


async def test_a_dead_payload_is_kept_on_the_record_of_another_one(storage: Storage) -> None:
    writer = await Writer.of(storage.store)
    await writer.write(CREATION, PICKED_UP)
    before = await storage.store.find_events([PICKED_UP.event_id])
    for offset in (2, 3):
        writer.fence = await storage.store.dead_letter(
            writer.fence,
            consumed(OTHER_PICKED_UP, offset),
            next_offset=offset + 1,
            reason="quarantined",
            recorded_at=RECORDED_AT,
        )
    assert await storage.store.find_events([PICKED_UP.event_id]) == before
    document = await storage.events.get(PICKED_UP.event_id)
    assert document is not None
    assert (document["outcome"], document["attempts"], document["conflicts"]) == ("applied", 1, 0)
    assert document["other_payloads"] == [superseded(OTHER_PICKED_UP, offset=3, reason="quarantined")]
    writer.offset = 4
    await writer.write(OTHER_PICKED_UP)
    document = await storage.events.get(PICKED_UP.event_id)
    assert document is not None
    assert document["other_payloads"] == [
        superseded(OTHER_PICKED_UP, offset=4, reason="IDEMPOTENCY_CONFLICT")
    ]


async def test_what_cannot_be_read_moves_the_fence_alone(store: ShipmentStore) -> None:
    fence = (await Writer.of(store)).fence
    moved = await store.dead_letter(fence, None, next_offset=7, reason="no JSON", recorded_at=RECORDED_AT)
    assert moved == await store.refresh(fence) == replace(fence, next_offset=7)


async def test_nothing_is_dead_lettered_behind_a_lost_fence(store: ShipmentStore) -> None:
    fence = (await Writer.of(store)).fence
    now = (await Writer.of(store)).fence
    for stale in (fence, replace(now, next_offset=5)):
        with pytest.raises(Fenced):
            await store.dead_letter(
                stale, consumed(CREATION), next_offset=6, reason="bug", recorded_at=RECORDED_AT
            )
    assert await store.find_events([CREATION.event_id]) == {CREATION.event_id: None}
    assert await store.refresh(now) == now
