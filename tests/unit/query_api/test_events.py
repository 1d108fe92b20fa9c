"""GET /events/{event_id}."""

from dataclasses import replace

import pytest

from domain.access.permissions import Principal
from domain.shipments.event_identity import creation_event_id
from domain.shipments.status import Status
from tests.support.builders import (
    NUMBER,
    RECORDED_AT,
    consumed,
    consumed_all,
    creation,
    ends_at,
    number,
    plan_for,
    report,
)
from tests.unit.query_api.conftest import ADMIN, CLIENT, DRIVER, OTHER_CLIENT, OTHER_DRIVER, Api, World

PICKED_UP = report(Status.PICKED_UP)
TOO_EARLY = report(Status.DELIVERED)
LOST = replace(report(Status.PICKED_UP, source="scanner-2"), submitted_by="driver_user_002")


@pytest.fixture(autouse=True)
async def events(world: World) -> None:
    fence = await world.store.acquire("shipments.events/0", owner="test", end_offset=ends_at(0))
    plan = plan_for(consumed_all(creation(), PICKED_UP, TOO_EARLY))
    await world.store.commit([(fence, plan)], recorded_at=RECORDED_AT)


@pytest.mark.parametrize("who", [ADMIN, CLIENT, DRIVER])
async def test_event_has_its_outcome(api: Api, who: Principal) -> None:
    response = await api.get(f"/events/{PICKED_UP.event_id}", who)
    body = await response.json()
    assert response.status == 200
    assert (body["event_id"], body["tracking_number"]) == (PICKED_UP.event_id, NUMBER)
    assert (body["status"], body["outcome"], body["reason"]) == ("picked_up", "applied", None)
    assert (body["attempts"], body["duplicates"], body["conflicts"]) == (1, 0, 0)
    assert body["recorded_at"] == "2026-03-01T13:00:00.000Z"
    assert "fingerprint" not in body


async def test_rejected_event_has_its_reason(api: Api) -> None:
    body = await (await api.get(f"/events/{TOO_EARLY.event_id}", DRIVER)).json()
    assert (body["outcome"], body["reason"]) == ("rejected", "INVALID_TRANSITION")


async def test_a_creation_is_an_event(api: Api) -> None:
    response = await api.get(f"/events/{creation_event_id(NUMBER)}", CLIENT)
    assert (response.status, (await response.json())["status"]) == (200, "created")


@pytest.mark.parametrize("who", [OTHER_CLIENT, OTHER_DRIVER])
async def test_event_of_another_client_is_403(api: Api, who: Principal) -> None:
    response = await api.get(f"/events/{PICKED_UP.event_id}", who)
    assert (response.status, (await response.json())["error"]) == (403, "FORBIDDEN")


async def test_sender_of_unrecorded_payloads_sees_these_only(api: Api, world: World) -> None:
    stands = report(Status.PICKED_UP, number(2), notes="of driver_user_001")
    others = [replace(stands, notes=notes, submitted_by="driver_user_002") for notes in ("a", "b")]
    fence = await world.store.acquire("shipments.events/0", owner="test", end_offset=ends_at(0))
    plan = plan_for(consumed_all(creation(number(2)), stands, *others, first_offset=3))
    await world.store.commit([(fence, plan)], recorded_at=RECORDED_AT)
    response = await api.get(f"/events/{stands.event_id}", OTHER_DRIVER)
    body = await response.json()
    assert response.status == 200
    assert (body["outcome"], body["reason"], body["notes"]) == ("rejected", "IDEMPOTENCY_CONFLICT", "b")
    assert (body["submitted_by"], body["client_id"], body["offset"]) == ("driver_user_002", None, 6)
    assert [each["notes"] for each in body["other_payloads"]] == ["a"]
    whole = await (await api.get(f"/events/{stands.event_id}", DRIVER)).json()
    assert body.keys() == whole.keys()


async def test_sender_of_a_replaced_rejected_event_still_reads_its_reason(api: Api, world: World) -> None:
    sent = report(Status.DELIVERED, number(2))
    applied = replace(sent, status=Status.PICKED_UP, submitted_by="driver_user_002")
    fence = await world.store.acquire("shipments.events/0", owner="test", end_offset=ends_at(0))
    plan = plan_for(consumed_all(creation(number(2)), sent, applied, first_offset=3))
    await world.store.commit([(fence, plan)], recorded_at=RECORDED_AT)
    body = await (await api.get(f"/events/{sent.event_id}", DRIVER)).json()
    assert (body["status"], body["outcome"], body["reason"]) == (
        "delivered",
        "rejected",
        "INVALID_TRANSITION",
    )
    assert "other_payloads" not in body


async def test_replaced_dead_payload_is_returned_as_dead(api: Api, world: World) -> None:
    sent = report(Status.PICKED_UP, number(2))
    fence = await world.store.acquire("shipments.events/0", owner="test", end_offset=ends_at(0))
    await world.store.dead_letter(
        fence, consumed(sent, 3), next_offset=4, reason="quarantined", recorded_at=RECORDED_AT
    )
    applied = replace(sent, notes="another", submitted_by="driver_user_002")
    known = await world.store.find_events([sent.event_id])
    fence = await world.store.acquire("shipments.events/0", owner="test", end_offset=ends_at(0))
    plan = plan_for(consumed_all(creation(number(2)), applied, first_offset=4), known=known)
    await world.store.commit([(fence, plan)], recorded_at=RECORDED_AT)
    body = await (await api.get(f"/events/{sent.event_id}", DRIVER)).json()
    assert (body["outcome"], body["reason"]) == ("dead", "quarantined")


async def test_unprocessed_event_is_404_with_retry_after(api: Api) -> None:
    response = await api.get(f"/events/{LOST.event_id}")
    assert (response.status, (await response.json())["error"]) == (404, "EVENT_NOT_FOUND")
    assert response.headers["Retry-After"] == "1"


async def test_event_created_during_the_lookup_is_not_forbidden(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_yet(*_: object) -> None:
        return None

    monkeypatch.setattr(world.events, "get", not_yet)
    for who in (DRIVER, CLIENT, ADMIN):
        assert (await api.get(f"/events/{PICKED_UP.event_id}", who)).status == 404
    assert (await api.get(f"/events/{PICKED_UP.event_id}", OTHER_DRIVER)).status == 403


@pytest.mark.parametrize("text", ["x", "evt_", f"evt_{NUMBER}", f"evt_{NUMBER}_zz_zz", "%00"])
async def test_malformed_event_id_is_404_without_retry_after(api: Api, text: str) -> None:
    response = await api.get(f"/events/{text}")
    assert (response.status, (await response.json())["error"]) == (404, "EVENT_NOT_FOUND")
    assert "Retry-After" not in response.headers
