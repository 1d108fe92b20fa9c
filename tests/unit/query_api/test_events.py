"""GET /events/{event_id}."""

from dataclasses import replace

import pytest

from domain.access.permissions import Principal
from domain.shipments.event_identity import creation_event_id
from domain.shipments.status import Status
from tests.support.builders import (
    NUMBER,
    RECORDED_AT,
    creation,
    deliveries,
    delivery,
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
    plan = plan_for(deliveries(creation(), PICKED_UP, TOO_EARLY))
    await world.store.commit(fence, plan, recorded_at=RECORDED_AT)


@pytest.mark.parametrize("who", [ADMIN, CLIENT, DRIVER])
async def test_an_event_tells_its_outcome(api: Api, who: Principal) -> None:
    answer = await api.get(f"/events/{PICKED_UP.event_id}", who)
    body = await answer.json()
    assert answer.status == 200
    assert (body["event_id"], body["tracking_number"]) == (PICKED_UP.event_id, NUMBER)
    assert (body["status"], body["outcome"], body["reason"]) == ("picked_up", "applied", None)
    assert (body["attempts"], body["duplicates"], body["conflicts"]) == (1, 0, 0)
    assert body["recorded_at"] == "2026-03-01T13:00:00.000Z"
    assert "fingerprint" not in body


async def test_a_rejected_event_tells_why(api: Api) -> None:
    body = await (await api.get(f"/events/{TOO_EARLY.event_id}", DRIVER)).json()
    assert (body["outcome"], body["reason"]) == ("rejected", "INVALID_TRANSITION")


async def test_a_creation_is_an_event(api: Api) -> None:
    answer = await api.get(f"/events/{creation_event_id(NUMBER)}", CLIENT)
    assert (answer.status, (await answer.json())["status"]) == (200, "created")


@pytest.mark.parametrize("who", [OTHER_CLIENT, OTHER_DRIVER])
async def test_an_event_of_others_is_403(api: Api, who: Principal) -> None:
    answer = await api.get(f"/events/{PICKED_UP.event_id}", who)
    assert (answer.status, (await answer.json())["error"]) == (403, "FORBIDDEN")


async def test_who_sent_payloads_that_do_not_stand_is_told_of_these_alone(api: Api, world: World) -> None:
    stands = report(Status.PICKED_UP, number(2), notes="of driver_user_001")
    others = [replace(stands, notes=notes, submitted_by="driver_user_002") for notes in ("a", "b")]
    fence = await world.store.acquire("shipments.events/0", owner="test", end_offset=ends_at(0))
    plan = plan_for(deliveries(creation(number(2)), stands, *others, first_offset=3))
    await world.store.commit(fence, plan, recorded_at=RECORDED_AT)
    answer = await api.get(f"/events/{stands.event_id}", OTHER_DRIVER)
    body = await answer.json()
    assert answer.status == 200
    assert (body["outcome"], body["reason"], body["notes"]) == ("rejected", "IDEMPOTENCY_CONFLICT", "b")
    assert (body["submitted_by"], body["client_id"], body["offset"]) == ("driver_user_002", None, 6)
    assert [each["notes"] for each in body["other_payloads"]] == ["a"]
    whole = await (await api.get(f"/events/{stands.event_id}", DRIVER)).json()
    assert body.keys() == whole.keys()


async def test_whose_rejected_event_gave_way_still_reads_why_it_was_rejected(api: Api, world: World) -> None:
    sent = report(Status.DELIVERED, number(2))
    applied = replace(sent, status=Status.PICKED_UP, submitted_by="driver_user_002")
    fence = await world.store.acquire("shipments.events/0", owner="test", end_offset=ends_at(0))
    plan = plan_for(deliveries(creation(number(2)), sent, applied, first_offset=3))
    await world.store.commit(fence, plan, recorded_at=RECORDED_AT)
    body = await (await api.get(f"/events/{sent.event_id}", DRIVER)).json()
    assert (body["status"], body["outcome"], body["reason"]) == (
        "delivered",
        "rejected",
        "INVALID_TRANSITION",
    )
    assert "other_payloads" not in body


async def test_a_dead_payload_that_gave_way_is_told_as_dead(api: Api, world: World) -> None:
    sent = report(Status.PICKED_UP, number(2))
    fence = await world.store.acquire("shipments.events/0", owner="test", end_offset=ends_at(0))
    await world.store.dead_letter(
        fence, delivery(sent, 3), next_offset=4, reason="quarantined", recorded_at=RECORDED_AT
    )
    applied = replace(sent, notes="another", submitted_by="driver_user_002")
    known = await world.store.find_events([sent.event_id])
    fence = await world.store.acquire("shipments.events/0", owner="test", end_offset=ends_at(0))
    plan = plan_for(deliveries(creation(number(2)), applied, first_offset=4), known=known)
    await world.store.commit(fence, plan, recorded_at=RECORDED_AT)
    body = await (await api.get(f"/events/{sent.event_id}", DRIVER)).json()
    assert (body["outcome"], body["reason"]) == ("dead", "quarantined")


async def test_an_event_that_is_not_there_yet_may_come(api: Api) -> None:
    answer = await api.get(f"/events/{LOST.event_id}")
    assert (answer.status, (await answer.json())["error"]) == (404, "EVENT_NOT_FOUND")
    assert answer.headers["Retry-After"] == "1"


async def test_an_event_that_comes_while_it_is_looked_for_is_not_somebody_elses(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_yet(*_: object) -> None:
        return None

    monkeypatch.setattr(world.events, "get", not_yet)
    for who in (DRIVER, CLIENT, ADMIN):
        assert (await api.get(f"/events/{PICKED_UP.event_id}", who)).status == 404
    assert (await api.get(f"/events/{PICKED_UP.event_id}", OTHER_DRIVER)).status == 403


@pytest.mark.parametrize("text", ["x", "evt_", f"evt_{NUMBER}", f"evt_{NUMBER}_zz_zz", "%00"])
async def test_what_is_no_id_never_comes(api: Api, text: str) -> None:
    answer = await api.get(f"/events/{text}")
    assert (answer.status, (await answer.json())["error"]) == (404, "EVENT_NOT_FOUND")
    assert "Retry-After" not in answer.headers
