"""Endpoints over HTTP, on a real MongoDB."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet

from storage.mongo.database import Database
from storage.mongo.schema import WEBHOOK_ENDPOINTS
from tests.integration.webhooks.managing import (
    ADMIN,
    CLIENT,
    KEY,
    OTHER_CLIENT,
    URL,
    Json,
    Management,
    managing,
)
from tests.support.receiving.raw_receiver import OK, raw_receiver
from webhooks.sealing import SecretSealer
from webhooks.stores.endpoints import MOST_SECRETS
from webhooks.use_cases.endpoints import MOST_OF_A_CLIENT

pytestmark = pytest.mark.stack

DEFAULTS: Json = {
    "client_id": "client_001",
    "url": URL,
    "types": ["shipment.*"],
    "payload": "full",
    "ordering": "none",
    "rate_per_s": None,
    "description": None,
    "state": "active",
    "paused_reason": None,
    "paused_at": None,
    "failing_since": None,
    "created_by": "client_user_001",
}
ALL: Json = {
    "url": "https://receiver.invalid/other",
    "types": ["shipment.delivered", "shipment.c*"],
    "payload": "thin",
    "ordering": "per_shipment",
    "rate_per_s": 0.5,
    "description": "our ERP",
}


async def test_an_endpoint_has_defaults_for_what_is_absent_or_null(management: Management) -> None:
    nulls = {name: None for name in ALL if name != "url"} | {"client_id": None}
    for body in ({"url": URL}, {"url": URL, **nulls}):
        answer = await management.ask("POST", "/webhooks", body)
        assert answer.status == 201
        created = answer.body
        assert DEFAULTS.items() <= created.items()
        assert answer.headers["Location"] == f"/webhooks/{created['id']}"
        assert answer.headers["Cache-Control"] == "no-store"
    assert management.told.notices == ["endpoint_changed"] * 2


async def test_an_endpoint_is_as_it_was_created_and_changed(management: Management) -> None:
    created = await management.created(**ALL)
    secret = created.pop("secret")
    assert ALL.items() <= created.items()
    path = f"/webhooks/{created['id']}"
    assert (await management.ask("GET", path)).body == created

    changes = {name: DEFAULTS[name] for name in ALL}
    changed = (await management.ask("PATCH", path, changes)).body
    assert changed.pop("updated_at") > created["updated_at"]
    assert DEFAULTS.items() <= changed.items()
    listed = (await management.ask("GET", "/webhooks")).body["data"]
    assert [{name: each[name] for name in changed} for each in listed] == [changed]
    assert secret not in str(listed)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"description": "other"}, {"description": "other", "rate_per_s": 0.5}),
        ({"rate_per_s": None, "types": None, "payload": None}, {"rate_per_s": None} | {"payload": "thin"}),
        ({"description": None, "url": None, "state": None}, {"description": None, "url": ALL["url"]}),
        ({"types": ["*", "*"]}, {"types": ["*"]}),
    ],
)
async def test_null_removes_what_may_be_absent_and_changes_nothing_else(
    management: Management, change: Json, expected: Json
) -> None:
    path = f"/webhooks/{(await management.created(**ALL))['id']}"
    answer = await management.ask("PATCH", path, change)
    assert answer.status == 200
    assert (ALL | expected).items() <= answer.body.items()


@pytest.mark.parametrize(
    "change", [{}, {"types": None, "state": None}, {"client_id": "client_001"}, {"id": 1}]
)
async def test_a_change_that_changes_nothing_is_rejected(management: Management, change: Json) -> None:
    path = f"/webhooks/{(await management.created())['id']}"
    assert (await management.ask("PATCH", path, change)).status == 400


@pytest.mark.parametrize(
    ("members", "pointers"),
    [
        ({"url": "ftp://receiver.invalid/"}, ["/url"]),
        ({"url": "http://receiver.invalid.\u0000/"}, ["/url"]),
        ({"url": "https://user:secret@receiver.invalid/"}, ["/url"]),
        ({"url": "https://10.1.2.3/"}, ["/url"]),
        ({"url": "http://8.8.8.8/"}, ["/url"]),
        ({"url": f"https://receiver.invalid/{'a' * 2_048}"}, ["/url"]),
        ({"url": None}, ["/url"]),
        ({"types": []}, ["/types"]),
        ({"types": ["shipment.lost", "shipment.*", "webhook.test"]}, ["/types/0", "/types/2"]),
        ({"types": ["shipment.*.x"]}, ["/types/0"]),
        ({"types": ["shipment.created"] * 21}, ["/types"]),
        ({"rate_per_s": 0, "payload": "fat", "ordering": 1}, ["/payload", "/ordering", "/rate_per_s"]),
        ({"rate_per_s": True}, ["/rate_per_s"]),
        ({"rate_per_s": 1_000.1}, ["/rate_per_s"]),
        ({"description": "two\nlines"}, ["/description"]),
        ({"description": "x" * 257}, ["/description"]),
        ({"state": "paused"}, ["/state"]),
        ({"secret": "whsec_mine"}, ["/secret"]),
    ],
)
async def test_faults_of_an_endpoint_are_named(
    management: Management, members: Json, pointers: list[str]
) -> None:
    answer = await management.ask("POST", "/webhooks", {"url": URL} | members)
    assert (answer.status, answer.body["error"]) == (400, "VALIDATION_ERROR")
    assert [each["pointer"] for each in answer.body["details"]] == pointers
    path = f"/webhooks/{(await management.created())['id']}"
    if members not in ({"state": "paused"}, {"url": None}):  # PATCH takes these
        assert (await management.ask("PATCH", path, members)).status == 400


async def test_a_paused_endpoint_keeps_its_reason_and_a_resumed_one_begins_again(
    management: Management,
) -> None:
    endpoint_id = (await management.created())["id"]
    path, endpoints = f"/webhooks/{endpoint_id}", management.database[WEBHOOK_ENDPOINTS]
    paused = (await management.ask("PATCH", path, {"state": "paused"})).body
    assert (paused["state"], paused["paused_reason"]) == ("paused", "manual")
    assert paused["paused_at"] == paused["updated_at"]

    gone = {"paused_reason": "gone", "failures": 7, "failing_since": datetime(2026, 11, 1, tzinfo=UTC)}
    await endpoints.update_one({"_id": endpoint_id}, {"$set": gone})
    again = (await management.ask("PATCH", path, {"state": "paused"})).body
    assert (again["paused_reason"], again["paused_at"]) == ("gone", paused["paused_at"])
    assert again["failing_since"] == "2026-11-01T00:00:00.000Z"

    before = await management.stored(endpoint_id)
    resumed = (await management.ask("PATCH", path, {"state": "active"})).body
    assert {resumed[name] for name in ("paused_reason", "paused_at", "failing_since")} == {None}
    stored = await management.stored(endpoint_id)
    assert (stored["failures"], stored["work"]) == (0, before["work"] + 1)
    assert stored["next_due_at"] == stored["updated_at"]


async def test_another_url_forgets_the_failures_of_the_one_before(management: Management) -> None:
    endpoint_id = (await management.created())["id"]
    due = datetime(2026, 11, 1, tzinfo=UTC)
    failing = {"failures": 7, "failing_since": due, "next_due_at": due}
    await management.database[WEBHOOK_ENDPOINTS].update_one({"_id": endpoint_id}, {"$set": failing})
    await management.ask("PATCH", f"/webhooks/{endpoint_id}", {"description": "x"})
    assert failing.items() <= (await management.stored(endpoint_id)).items()
    await management.ask("PATCH", f"/webhooks/{endpoint_id}", {"url": ALL["url"]})
    stored = await management.stored(endpoint_id)
    assert (stored["failures"], stored["failing_since"], stored["next_due_at"]) == (0, None, due)


async def test_secrets_are_sealed_and_rotated_with_a_grace(management: Management) -> None:
    created, sealer = await management.created(), SecretSealer([KEY])
    path = f"/webhooks/{created['id']}/secret/rotate"

    async def secrets() -> list[tuple[str, datetime | None]]:
        stored = (await management.stored(created["id"]))["secrets"]
        return [(sealer.open(each["sealed"]), each["expires_at"]) for each in stored]

    assert await secrets() == [(created["secret"], None)]
    assert created["secret"] not in str(await management.stored(created["id"]))
    asked = datetime.now(UTC)
    second = (await management.ask("POST", path)).body["secret"]
    third = (await management.ask("POST", path, {"grace_s": 60})).body["secret"]
    (now, last), (older, until), (oldest, end) = await secrets()
    assert (now, last, older, oldest) == (third, None, second, created["secret"])
    assert until is not None
    assert end == until
    assert timedelta(seconds=55) < until - asked < timedelta(seconds=75)
    fourth = (await management.ask("POST", path, {"grace_s": 0})).body["secret"]
    assert await secrets() == [(fourth, None)]


async def test_secrets_do_not_pile_up(management: Management) -> None:
    created = await management.created()
    path = f"/webhooks/{created['id']}/secret/rotate"
    rotated = await asyncio.gather(*(management.ask("POST", path) for _ in range(MOST_SECRETS + 3)))
    stored = [
        SecretSealer([KEY]).open(each["sealed"])
        for each in (await management.stored(created["id"]))["secrets"]
    ]
    assert len(set(stored)) == MOST_SECRETS
    assert set(stored) <= {answer.body["secret"] for answer in rotated}


@pytest.mark.parametrize("grace_s", [-1, 604_801, "60", 1.5, True])
async def test_a_grace_has_bounds(management: Management, grace_s: object) -> None:
    path = f"/webhooks/{(await management.created())['id']}/secret/rotate"
    answer = await management.ask("POST", path, {"grace_s": grace_s})
    assert (answer.status, answer.body["details"][0]["pointer"]) == (400, "/grace_s")


async def test_a_client_has_so_many_endpoints_and_no_more(management: Management) -> None:
    wanted = MOST_OF_A_CLIENT + 5
    answers = await asyncio.gather(
        *(management.ask("POST", "/webhooks", {"url": URL}) for _ in range(wanted)),
    )
    created = [answer for answer in answers if answer.status == 201]
    refused = [answer.body["error"] for answer in answers if answer.status != 201]
    assert len(created) <= MOST_OF_A_CLIENT
    assert set(refused) == {"WEBHOOK_LIMIT_REACHED"}
    for _ in range(len(created), MOST_OF_A_CLIENT):
        await management.created()
    listed = (await management.ask("GET", "/webhooks")).body["pagination"]["total"]
    assert listed == MOST_OF_A_CLIENT
    assert (await management.ask("POST", "/webhooks", {"url": URL})).status == 409
    await management.created(who=OTHER_CLIENT)


async def test_lists_are_filtered_and_walked_by_cursor(management: Management) -> None:
    own = [(await management.created(description=str(number)))["id"] for number in range(5)]
    general = (await management.created(who=ADMIN))["id"]
    named = (await management.created(who=ADMIN, client_id="client_002"))["id"]
    await management.ask("PATCH", f"/webhooks/{own[1]}", {"state": "paused"})

    seen, path = [], "/webhooks?limit=2"
    while True:
        page = (await management.ask("GET", path)).body
        seen += [each["id"] for each in page["data"]]
        if not page["pagination"]["has_next"]:
            break
        path = f"/webhooks?limit=2&cursor={page['pagination']['next_cursor']}"
    assert seen == own[::-1]
    every = (await management.ask("GET", "/webhooks?limit=100", who=ADMIN)).body
    assert {each["id"] for each in every["data"]} == {*own, general, named}
    for query, who, expected in (
        ("client_id=client_002", ADMIN, [named]),
        ("state=paused", ADMIN, [own[1]]),
        ("state=paused", CLIENT, [own[1]]),
        ("state=paused&client_id=client_002", ADMIN, []),
    ):
        page = (await management.ask("GET", f"/webhooks?{query}", who=who)).body
        assert ([each["id"] for each in page["data"]], page["pagination"]["total"]) == (
            expected,
            len(expected),
        )


async def test_a_test_message_is_signed_and_its_end_reported(management: Management) -> None:
    async with raw_receiver(OK) as receiver:
        created = await management.created(url=receiver.url())
        await management.ask("PATCH", f"/webhooks/{created['id']}", {"state": "paused"})
        answer = await management.ask("POST", f"/webhooks/{created['id']}/test")
    assert answer.status == 200
    assert answer.body.items() >= {"status_code": 200, "error": None, "response": "ok"}.items()
    [request] = receiver.requests
    assert b"webhook-signature: v1," in request.lower()
    assert b'"type":"webhook.test"' in request


async def test_a_secret_of_a_lost_key_concerns_its_endpoint_alone(
    management: Management, spare_database: Database
) -> None:
    created = await management.created()
    async with managing(spare_database, keys=Fernet.generate_key().decode()) as without_the_key:
        other = await without_the_key.created()
        path = f"/webhooks/{created['id']}"
        assert (await without_the_key.ask("GET", path)).status == 200
        test = await without_the_key.ask("POST", f"{path}/test")
        assert (test.status, test.body["error"]) == (200, "secret_unreadable")
        assert (await without_the_key.ask("POST", f"/webhooks/{other['id']}/test")).body[
            "error"
        ] != test.body["error"]
        await without_the_key.ask("POST", f"{path}/secret/rotate")
        repaired = await without_the_key.ask("POST", f"{path}/test")
        assert repaired.body["error"] == "name_not_resolved"


async def test_a_deleted_endpoint_is_gone(management: Management) -> None:
    endpoint_id = (await management.created())["id"]
    assert (await management.ask("DELETE", f"/webhooks/{endpoint_id}")).status == 204
    assert management.told.notices[-1] == "endpoint_deleted"
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"state": "paused"}),
        ("DELETE", "", None),
        ("POST", "/secret/rotate", {}),
        ("POST", "/test", None),
        ("GET", "/deliveries", None),
    ):
        answer = await management.ask(method, f"/webhooks/{endpoint_id}{path}", body)
        assert (answer.status, answer.body["error"]) == (404, "WEBHOOK_NOT_FOUND")
