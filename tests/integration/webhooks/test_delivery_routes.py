"""Deliveries and replays over HTTP, on a real MongoDB."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from domain.webhooks.message import full_body, thin_body
from storage.mongo.schema import WEBHOOK_DELIVERIES, WEBHOOK_MESSAGES, WEBHOOK_REPLAYS
from tests.integration.webhooks.managing import OTHER_CLIENT, Json, Management
from webhooks.openapi.samples import CHANGES
from webhooks.use_cases.deliveries import MOST_RUNNING

pytestmark = pytest.mark.stack

AT = datetime(2026, 11, 2, 14, tzinfo=UTC)
PERIOD = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00+01:00"}
ATTEMPTS = [
    {"at": AT + timedelta(seconds=number), "status_code": 500 + number, "duration_ms": 3, "error": "status"}
    | {"response": f"no {number}"}
    for number in range(3)
]


async def test_a_delivery_is_shown_with_its_attempts_and_body(management: Management) -> None:
    endpoint_id = (await management.created())["id"]
    delivery_id = await management.deliver(endpoint_id, attempts=ATTEMPTS, attempt=3)
    path = f"/webhooks/{endpoint_id}/deliveries"

    [listed] = (await management.ask("GET", path)).body["data"]
    delivery = (await management.ask("GET", f"{path}/{delivery_id}")).body

    attempts = [each | {"at": f"2026-11-02T14:00:0{number}.000Z"} for number, each in enumerate(ATTEMPTS)]
    assert listed.pop("last_attempt") == attempts[-1]
    assert delivery.pop("attempts") == attempts
    sent = json.loads(delivery.pop("body"))
    assert sent["data"] == full_body(CHANGES["shipment.picked_up"])["data"] | {"event": sent["data"]["event"]}
    assert listed == delivery
    assert (listed["id"], listed["endpoint_id"], listed["state"]) == (delivery_id, endpoint_id, "pending")
    assert listed["next_attempt_at"] == listed["created_at"]


async def test_the_body_is_that_of_the_endpoints_payload_while_it_is_kept(management: Management) -> None:
    endpoint_id = (await management.created(payload="thin"))["id"]
    delivery_id = await management.deliver(endpoint_id)
    path = f"/webhooks/{endpoint_id}/deliveries/{delivery_id}"
    delivery = (await management.ask("GET", path)).body
    assert json.loads(delivery["body"]) == thin_body(CHANGES["shipment.picked_up"])
    assert delivery["attempts"] == []
    await management.database[WEBHOOK_MESSAGES].delete_many({})
    assert (await management.ask("GET", path)).body["body"] is None


ANOTHER = "99M-0123456789AM"
SEVERAL = [
    ("shipment.created", "delivered"),
    ("shipment.in_transit", "failed"),
    ("shipment.in_warehouse", "held"),
    ("shipment.delivered", "failed"),
]


async def test_deliveries_are_filtered_and_walked_by_cursor(management: Management) -> None:
    endpoint_id, other = (await management.created())["id"], (await management.created())["id"]
    await management.deliver(other)
    ids = []
    for number, (type_, state) in enumerate(SEVERAL):
        created_at = AT + timedelta(hours=number)
        shipment = {} if number % 2 else {"tracking_number": ANOTHER}
        ids.append(
            await management.deliver(
                endpoint_id, type_, number=number, state=state, created_at=created_at, **shipment
            )
        )
    path = f"/webhooks/{endpoint_id}/deliveries"
    for query, expected in (
        ("", [3, 2, 1, 0]),
        ("state=failed", [3, 1]),
        ("state=pending", []),
        ("type=shipment.in_*", [2, 1]),
        ("type=shipment.delivered&state=failed", [3]),
        ("from=2026-11-02T15:00:00Z&to=2026-11-02T17:00:00Z", [2, 1]),
        ("state=failed&to=2026-11-02T17:00:00Z", [1]),
        ("limit=2&offset=1", [2, 1]),
        (f"tracking_number={ANOTHER.lower()}", [2, 0]),
        (f"tracking_number={ANOTHER}&type=shipment.in_*", [2]),
        (f"tracking_number={ANOTHER}&state=failed", []),
    ):
        page = (await management.ask("GET", f"{path}?{query}")).body
        assert [each["id"] for each in page["data"]] == [ids[number] for number in expected], query

    first = (await management.ask("GET", f"{path}?limit=1&state=failed")).body
    cursor = first["pagination"]["next_cursor"]
    second = (await management.ask("GET", f"{path}?limit=1&state=failed&cursor={cursor}")).body
    assert [each["id"] for page in (first, second) for each in page["data"]] == [ids[3], ids[1]]
    assert second["pagination"]["next_cursor"] is None


@pytest.mark.parametrize(
    "query",
    [
        "state=lost",
        "type=shipment.lost",
        "from=2026-11-02",
        "from=2026-11-02T00:00:00Z&to=2026-11-02T00:00:00Z",
        "limit=0",
        "tracking_number=x",
        "cursor=abc",
    ],
)
async def test_a_wrong_filter_is_named(management: Management, query: str) -> None:
    endpoint_id = (await management.created())["id"]
    answer = await management.ask("GET", f"/webhooks/{endpoint_id}/deliveries?{query}")
    assert (answer.status, answer.body["error"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("state", ["delivered", "failed", "pending"])
async def test_a_retry_begins_the_schedule_again(management: Management, state: str) -> None:
    endpoint_id = (await management.created())["id"]
    later = AT + timedelta(days=30)
    fields: Json = {"state": state, "attempt": 3, "attempts": ATTEMPTS, "due_at": None, "expires_at": later}
    delivery_id = await management.deliver(endpoint_id, **fields)
    before = await management.stored(endpoint_id)

    answer = await management.ask("POST", f"/webhooks/{endpoint_id}/deliveries/{delivery_id}/retry")

    assert (answer.status, answer.body["state"]) == (202, "pending")
    assert len(answer.body["attempts"]) == len(ATTEMPTS), "what was tried stays"
    stored = await management.database[WEBHOOK_DELIVERIES].find_one({"_id": delivery_id})
    assert stored is not None
    assert (stored["attempt"], stored["expires_at"]) == (0, None)
    endpoint = await management.stored(endpoint_id)
    assert endpoint["next_due_at"] == stored["due_at"]
    assert endpoint["work"] == before["work"] + 1
    assert endpoint["updated_at"] == before["updated_at"]
    assert management.told.notices[-1] == "delivery_due"


async def test_a_retry_never_delays_what_is_due_earlier(management: Management) -> None:
    endpoint_id = (await management.created())["id"]
    delivery_id = await management.deliver(endpoint_id, state="failed", due_at=None)
    await management.database["webhook_endpoints"].update_one(
        {"_id": endpoint_id}, {"$set": {"next_due_at": AT}}
    )
    await management.ask("POST", f"/webhooks/{endpoint_id}/deliveries/{delivery_id}/retry")
    assert (await management.stored(endpoint_id))["next_due_at"] == AT


async def test_what_cannot_be_retried_says_why(management: Management) -> None:
    endpoint_id = (await management.created())["id"]
    held = await management.deliver(endpoint_id, state="held", due_at=None)
    path = f"/webhooks/{endpoint_id}"

    async def error(delivery_id: str) -> tuple[int, str]:
        answer = await management.ask("POST", f"{path}/deliveries/{delivery_id}/retry")
        return answer.status, answer.body["error"]

    assert await error(held) == (409, "DELIVERY_HELD")
    assert await error("msg_none") == (404, "DELIVERY_NOT_FOUND")
    of_another = await management.deliver((await management.created())["id"])
    assert await error(of_another) == (404, "DELIVERY_NOT_FOUND")
    await management.ask("PATCH", path, {"state": "paused"})
    assert await error(held) == (409, "WEBHOOK_PAUSED")


async def test_a_replay_is_recorded_and_counts_the_deliveries_that_carry_its_id(
    management: Management,
) -> None:
    endpoint_id = (await management.created())["id"]
    path = f"/webhooks/{endpoint_id}/replays"

    started = await management.ask(
        "POST", path, PERIOD | {"types": ["shipment.in_*"], "states": ["held"] * 2}
    )

    assert started.status == 202
    assert management.told.notices[-1] == "replay_added"
    replay = started.body
    assert started.headers["Location"] == f"{path}/{replay['id']}"
    assert (replay["from"], replay["to"]) == ("2026-11-01T00:00:00.000Z", "2026-11-01T23:00:00.000Z")
    assert (replay["states"], replay["types"]) == (["held"], ["shipment.in_transit", "shipment.in_warehouse"])
    for number, state in enumerate(["pending", "delivered", "delivered", "failed"]):
        await management.deliver(endpoint_id, number=number, state=state, replay_ids=["rp_x", replay["id"]])
    await management.deliver(endpoint_id, number=9, state="delivered", replay_ids=["rp_x"])
    found = (await management.ask("GET", f"{path}/{replay['id']}")).body
    assert found == replay | {"matched": 4, "sent": 2, "failed": 1}


async def test_a_replay_has_defaults(management: Management) -> None:
    path = f"/webhooks/{(await management.created())['id']}/replays"
    for body in (PERIOD, PERIOD | {"states": None, "types": None}):
        replay = (await management.ask("POST", path, body)).body
        assert (replay["states"], replay["types"], replay["state"]) == (["failed", "held"], [], "running")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"from": PERIOD["from"]}, "/to"),
        (PERIOD | {"to": PERIOD["from"]}, "/to"),
        (PERIOD | {"from": "2026-11-01"}, "/from"),
        (PERIOD | {"from": 1}, "/from"),
        (PERIOD | {"states": ["pending"]}, "/states/0"),
        (PERIOD | {"states": []}, "/states"),
        (PERIOD | {"types": ["nothing"]}, "/types/0"),
        (PERIOD | {"limit": 5}, "/limit"),
    ],
)
async def test_faults_of_a_replay_are_named(management: Management, body: Json, pointer: str) -> None:
    endpoint_id = (await management.created())["id"]
    answer = await management.ask("POST", f"/webhooks/{endpoint_id}/replays", body)
    assert (answer.status, answer.body["details"][0]["pointer"]) == (400, pointer)


async def test_replays_have_bounds_and_owners(management: Management) -> None:
    endpoint_id, other = (await management.created())["id"], (await management.created())["id"]
    path = f"/webhooks/{endpoint_id}/replays"
    started = [(await management.ask("POST", path, PERIOD)).body["id"] for _ in range(MOST_RUNNING)]
    beyond = await management.ask("POST", path, PERIOD)
    assert (beyond.status, beyond.body["error"]) == (409, "WEBHOOK_LIMIT_REACHED")
    await management.database[WEBHOOK_REPLAYS].update_one({"_id": started[0]}, {"$set": {"state": "done"}})
    assert (await management.ask("POST", path, PERIOD)).status == 202
    elsewhere = await management.ask("GET", f"/webhooks/{other}/replays/{started[0]}")
    assert (elsewhere.status, elsewhere.body["error"]) == (404, "REPLAY_NOT_FOUND")
    assert (await management.ask("GET", f"{path}/{started[0]}", who=OTHER_CLIENT)).status == 403
    await management.ask("PATCH", f"/webhooks/{endpoint_id}", {"state": "paused"})
    paused = await management.ask("POST", path, PERIOD)
    assert (paused.status, paused.body["error"]) == (409, "WEBHOOK_PAUSED")
