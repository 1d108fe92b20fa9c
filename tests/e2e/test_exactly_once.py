"""Repeated and concurrent sending: each event has one outcome, each history is a legal walk."""

import asyncio
import random
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from uuid import uuid4

import pytest

from domain.shipments.status import Status
from domain.shipments.tracking_number import derive_tracking_number
from tests.e2e.ledger import Ledger, assert_matches_log
from tests.e2e.traffic import chunks, event_body, eventful_life, shipment_at, shipment_body
from tests.support.api import Api, Json, eventually, times_seen
from tests.support.builders import ROUTE
from tests.support.stack import RunningStack, StackAddresses, frozen

pytestmark = [pytest.mark.stack, pytest.mark.race]

REPEATS = 5
MIXED_EVENTS = 100
ACCEPTED_WITHIN_S = 2.0


@pytest.fixture
def since() -> datetime:
    """Give a time before anything that the test sends."""
    return datetime.now(UTC) - timedelta(seconds=1)


@pytest.mark.parametrize("seed", [1, 2])
async def test_mixed_events_of_three_shipments_at_once_end_as_their_log_says(
    stack: StackAddresses, admin: Api, driver: Api, since: datetime, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  # a repeatable mixture
    numbers = [await admin.created(shipment_body()) for _ in range(3)]
    sendings = [
        sending for number in numbers for sending in _sendings(driver, _mixed(number, chance), chance)
    ]
    chance.shuffle(sendings)
    queued = sum(await asyncio.gather(*sendings))

    ledger = await assert_matches_log(admin, stack.kafka_brokers, numbers, since=since)
    entries = [entry for number in numbers for entry in ledger[number].events.values()]
    sent = sum(entry.attempts + entry.duplicates + entry.conflicts for entry in entries)
    assert sent >= len(numbers) + queued  # more, if an answer was late and the events were sent again
    for number in numbers:
        _assert_legal_walk(await admin.shipment(number), ledger)


async def test_three_shipments_sent_in_order_end_as_planned(admin: Api, driver: Api) -> None:
    numbers = [await admin.created(shipment_body()) for _ in range(3)]

    async def live(number: str) -> dict[str, Json]:
        events = eventful_life(number)
        ids = [await driver.reported(event) for event in events[:7]]
        ids += [each for batch in chunks(events[7:], 3) for each in await driver.batch_reported(batch)]
        for each in ids:
            await driver.counted(each, times=ids.count(each))
        return {each: await driver.outcome(each) for each in ids}  # some were held until then

    for number, events in zip(numbers, await asyncio.gather(*map(live, numbers)), strict=True):
        shipment = await admin.shipment(number)
        applied = {event_id for event_id, event in events.items() if event["outcome"] == "applied"}
        assert [entry["status"] for entry in shipment["status_history"]] == ["created", *ROUTE]
        assert {entry["event_id"] for entry in shipment["status_history"][1:]} == applied
        assert [event["reason"] for event in events.values()].count("INVALID_TRANSITION") == 5
        early = [event for event in events.values() if event["source"] == "too-early"]
        assert [(event["status"], event["outcome"]) for event in early] == [
            ("in_transit", "applied"),
            ("delivered", "applied"),
        ]
        assert sum(event["duplicates"] for event in events.values()) == 2
        assert sum(event["conflicts"] for event in events.values()) == 2


async def test_one_event_sent_five_times_at_once_is_applied_once(admin: Api, driver: Api) -> None:
    number = await admin.created(shipment_body())
    event = event_body(number, Status.PICKED_UP)

    ids = await asyncio.gather(*(driver.reported(event) for _ in range(REPEATS)))

    assert len(set(ids)) == 1
    await _assert_applied_once(admin, number, ids[0])


async def test_one_event_five_times_in_a_batch_is_applied_once(admin: Api, driver: Api) -> None:
    number = await admin.created(shipment_body())

    ids = await driver.batch_reported([event_body(number, Status.PICKED_UP)] * REPEATS)

    assert len(set(ids)) == 1
    await _assert_applied_once(admin, number, ids[0])


async def test_an_event_is_accepted_before_and_applied_soon_after(
    own_stack: RunningStack, admin: Api, driver: Api
) -> None:
    number = await admin.created(shipment_body())
    with frozen(own_stack, "processor"):
        async with asyncio.timeout(ACCEPTED_WITHIN_S):
            response = await driver.post("/events", event_body(number, Status.PICKED_UP))
        event_id = response.body["event_id"]
        assert response.status == 202
        assert response.headers["Location"] == f"/events/{event_id}"
        assert response.body | {"message": ""} == {
            "event_id": event_id,
            "status": "queued",
            "tracking_number": number,
            "message": "",
        }
        assert (await driver.get(f"/events/{event_id}")).status == 404
        assert (await admin.shipment(number))["current_status"] == "created"
    assert (await driver.outcome(event_id))["outcome"] == "applied"
    assert (await admin.shipment(number))["current_status"] == "picked_up"


@pytest.mark.parametrize("status", ["picked_up", "cancelled"])
async def test_the_same_instant_with_another_payload_is_counted_and_never_applied(
    admin: Api, driver: Api, status: str
) -> None:
    number = await admin.created(shipment_body())
    event = event_body(number, Status.PICKED_UP)
    event_id = await driver.reported(event)
    await driver.outcome(event_id)
    before = await admin.shipment(number)

    assert await driver.reported(event | {"status": status, "notes": "not what I said before"}) == event_id

    seen = await driver.counted(event_id, times=2)
    assert (seen["outcome"], seen["conflicts"], seen["duplicates"]) == ("applied", 1, 0)
    assert (seen["status"], seen["notes"]) == ("picked_up", None)
    assert [(each["status"], each["notes"], each["reason"]) for each in seen["other_payloads"]] == [
        (status, "not what I said before", "IDEMPOTENCY_CONFLICT")
    ]
    trail = await admin.get(f"/shipments/{number}/events?outcome=conflict")
    assert [event["event_id"] for event in trail.body["data"]] == [event_id]
    assert await admin.shipment(number) == before


async def test_a_rejected_event_does_not_block_its_correction(admin: Api, driver: Api) -> None:
    number = await admin.created(shipment_body())
    meant = event_body(number, Status.PICKED_UP)
    wait = {"Prefer": "wait=10"}
    mistaken = await driver.post("/events", meant | {"status": "delivered"}, headers=wait)
    assert (mistaken.status, mistaken.body["error"]) == (409, "INVALID_TRANSITION")

    corrected = await driver.post("/events", meant, headers=wait)

    assert (corrected.status, corrected.body["event_id"]) == (200, await driver.reported(meant))
    seen = await driver.counted(corrected.body["event_id"], times=3)
    assert (seen["outcome"], seen["attempts"], seen["conflicts"]) == ("applied", 2, 0)
    assert [(each["status"], each["reason"]) for each in seen["other_payloads"]] == [
        ("delivered", "INVALID_TRANSITION")
    ]
    trail = await admin.get(f"/shipments/{number}/events?outcome=conflict")
    assert [event["event_id"] for event in trail.body["data"]] == [seen["event_id"]]


async def test_a_batch_that_contradicts_itself_is_rejected_and_names_both(admin: Api, driver: Api) -> None:
    number = await admin.created(shipment_body())
    walk = [
        event_body(number, status) for status in (Status.PICKED_UP, Status.IN_WAREHOUSE, Status.PICKED_UP)
    ]
    coarse = [event | {"timestamp": walk[0]["timestamp"], "source": "carrier-feed"} for event in walk]

    response = await driver.post("/events/batch", {"events": coarse})
    assert (response.status, response.body["error"]) == (400, "VALIDATION_ERROR")
    assert [detail["pointer"] for detail in response.body["details"]] == ["/events/0", "/events/1"]

    lenient = {"Prefer": "handling=lenient"}
    response = await driver.post("/events/batch", {"events": coarse}, headers=lenient)
    assert (response.status, response.body["queued"], response.body["rejected"]) == (202, 2, 1)
    seen = await driver.counted(response.body["events"][0]["event_id"], times=2)
    assert (seen["outcome"], seen["duplicates"], seen["conflicts"]) == ("applied", 1, 0)


async def test_zero_below_zero_is_no_conflict(admin: Api, driver: Api) -> None:
    number = await admin.created(shipment_body())
    event = event_body(number, Status.PICKED_UP)
    event_id = await driver.reported(event | {"location": {"lat": 0.0, "lng": 5}})
    assert await driver.reported(event | {"location": {"lng": 5.0, "lat": -0.0}}) == event_id
    seen = await driver.counted(event_id, times=2)
    assert (seen["duplicates"], seen["conflicts"]) == (1, 0)


async def test_an_early_event_is_applied_when_it_becomes_legal_and_then_repeated(
    admin: Api, driver: Api
) -> None:
    number = await shipment_at(Status.CREATED, admin=admin, driver=driver)
    early, earlier = event_body(number, Status.IN_WAREHOUSE), event_body(number, Status.IN_TRANSIT)
    wait = {"Prefer": "wait=10"}
    told = [await driver.post("/events", event, headers=wait) for event in (earlier, early)]
    assert [(each.status, each.body["error"]) for each in told] == [(409, "INVALID_TRANSITION")] * 2
    event_id = told[0].headers["Location"].removeprefix("/events/")
    held = await driver.outcome(event_id)
    assert (held["outcome"], held["reason"]) == ("rejected", "INVALID_TRANSITION")
    assert held["held_until"] == told[0].body["held_until"]
    accepted = datetime.fromisoformat(held["received_at"])
    assert datetime.fromisoformat(held["held_until"]) - accepted == timedelta(hours=24)
    assert "held" not in (await admin.shipment(number))

    releaser = await driver.post("/events", event_body(number, Status.PICKED_UP), headers=wait)

    assert releaser.status == 200
    applied = await driver.outcome(event_id)
    assert (applied["outcome"], applied["reason"], applied["attempts"]) == ("applied", None, 2)
    assert applied["held_until"] is None
    shipment = await admin.shipment(number)
    assert (shipment["current_status"], shipment["version"]) == ("in_transit", 4)
    walked = shipment["status_history"]
    assert [entry["status"] for entry in walked] == ["created", "picked_up", "in_warehouse", "in_transit"]
    assert [walked[3]["timestamp"], walked[3]["event_id"]] == [earlier["timestamp"], event_id]
    trail = (await admin.get(f"/shipments/{number}/events?outcome=rejected")).body["data"]
    assert trail == []

    assert await driver.reported(earlier) == event_id
    assert (await driver.counted(event_id, times=3))["duplicates"] == 1
    assert (await admin.shipment(number))["version"] == 4


async def test_a_wrong_delivery_is_taken_back_and_the_right_one_applied(
    admin: Api, driver: Api, client: Api
) -> None:
    number = await shipment_at(Status.IN_TRANSIT, admin=admin, driver=driver)
    wrong = event_body(number, Status.DELIVERED)
    wait, reason = {"Prefer": "wait=10"}, {"reason": "scanned at the wrong door"}
    event_id = (await driver.post("/events", wrong, headers=wait)).body["event_id"]

    assert (await client.post(f"/events/{event_id}/retract", reason)).status == 403
    retracted = await driver.post(f"/events/{event_id}/retract", reason, headers=wait)
    again = await driver.post(f"/events/{event_id}/retract", reason, headers=wait)

    assert [(each.status, each.body["event_id"]) for each in (retracted, again)] == [
        (200, f"{event_id}_retracted")
    ] * 2
    shipment = await admin.shipment(number)
    assert (shipment["current_status"], shipment["version"]) == ("in_transit", 6)
    assert [entry["status"] for entry in shipment["status_history"]][-1] == "in_transit"
    record = await driver.outcome(event_id)
    assert (record["outcome"], record["reason"]) == ("rejected", "RETRACTED")
    correction = await driver.outcome(f"{event_id}_retracted")
    assert correction["retraction"] == {"event_id": event_id, **reason}
    assert (correction["outcome"], correction["duplicates"]) == ("applied", 1)
    trail = (await admin.get(f"/shipments/{number}/events")).body["data"]
    told = [each["event_id"] for each in trail if each["event_id"].startswith(event_id)]
    assert told == [event_id, f"{event_id}_retracted"], "the one behind the other"

    resent = await driver.post("/events", wrong, headers=wait)
    assert (resent.status, resent.body["error"]) == (409, "RETRACTED")
    earlier = shipment["status_history"][1]["event_id"]
    refused = await admin.post(f"/events/{earlier}/retract", reason, headers=wait)
    assert (refused.status, refused.body["error"]) == (409, "NOT_THE_LATEST")
    unknown = await admin.post(f"/events/{event_id[:-1]}7/retract", reason, headers=wait)
    assert (unknown.status, unknown.body["error"]) == (404, "EVENT_NOT_FOUND")
    right = await driver.post("/events", event_body(number, Status.DELIVERED), headers=wait)
    assert right.status == 200
    assert (await admin.shipment(number))["version"] == 7


async def test_an_event_before_its_shipment_is_rejected_and_applied_when_sent_again(
    admin: Api, driver: Api
) -> None:
    key = uuid4().hex
    number = derive_tracking_number("admin_user", key, 0)
    event = event_body(number, Status.PICKED_UP)
    event_id = await driver.reported(event)
    assert (await driver.outcome(event_id))["reason"] == "SHIPMENT_NOT_FOUND"

    assert (await admin.create(shipment_body(), key=key)).body["tracking_number"] == number
    await driver.reported(event)

    seen = await driver.counted(event_id, times=2)
    assert (seen["outcome"], seen["reason"], seen["client_id"]) == ("applied", None, "client_001")


async def _assert_applied_once(admin: Api, number: str, event_id: str) -> None:
    event = await admin.counted(event_id, times=REPEATS)
    history = (await admin.shipment(number))["status_history"]
    assert (event["outcome"], event["duplicates"], times_seen(event)) == ("applied", REPEATS - 1, REPEATS)
    assert [entry["event_id"] for entry in history].count(event_id) == 1


def _assert_legal_walk(shipment: Json, ledger: Ledger) -> None:
    walked = [Status(entry["status"]) for entry in shipment["status_history"]]
    steps = ["created", *ROUTE]
    for current, following in pairwise(walked):
        assert following is Status.CANCELLED or steps.index(following) == steps.index(current) + 1
    assert shipment["current_status"] == walked[-1] == ledger[shipment["tracking_number"]].status


def _mixed(number: str, chance: random.Random) -> list[Json]:
    """Draw a hundred from two dozen events, some of them with other notes than the last time."""
    statuses = [*ROUTE * 6, Status.CANCELLED]
    pool = [event_body(number, status) for status in statuses]
    drawn = chance.choices(pool, k=MIXED_EVENTS)
    return [event | {"notes": "otherwise"} if chance.random() < 0.1 else event for event in drawn]


def _sendings(driver: Api, events: Sequence[Json], chance: random.Random) -> list[Awaitable[int]]:
    """Cut events into single ones and batches, each ready to be sent."""
    sendings: list[Awaitable[int]] = []
    rest = list(events)
    while rest:
        size = chance.choice([1, 1, 5, 10])
        sendings.append(eventually(partial(_accepted, driver, rest[:size]), within_s=30))
        rest = rest[size:]
    return sendings


async def _accepted(driver: Api, events: Sequence[Json]) -> int | None:
    """Send one event or a batch, and return how many are queued; None, to be retried, on 503.

    Of a batch that contradicts itself, the good events are taken.
    """
    if len(events) == 1:
        response = await driver.post("/events", events[0])
    else:
        lenient = {"Prefer": "handling=lenient"}
        response = await driver.post("/events/batch", {"events": events}, headers=lenient)
    assert response.status in {202, 503}, response.text
    return int(response.body.get("queued", 1)) if response.status == 202 else None
