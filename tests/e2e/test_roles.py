"""Permissions by role and owner: every route, called by everyone."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

import pytest
import pytest_asyncio

from domain.shipments.event_identity import creation_event_id
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber, derive_tracking_number
from tests.e2e.traffic import event_body, shipment_body
from tests.support.access_table import CALLERS, access_table
from tests.support.api import Api, Json, open_api
from tests.support.stack import StackAddresses

pytestmark = pytest.mark.stack

EXPECTED = access_table()
CASES = [
    (route, caller, status)
    for route, statuses in EXPECTED.items()
    for caller, status in zip(CALLERS, statuses, strict=True)
    if " /webhooks" not in route  # tests/e2e/test_webhook_roles.py
    and not route.endswith("/stream")  # tests/e2e/test_streams.py
]


@dataclass(frozen=True, slots=True)
class Thing:
    """A shipment of client_001, with an event of driver_user_001, and one that nobody has touched."""

    number: str
    event: str
    fresh: str


async def new_thing(admin: Api, driver: Api) -> Thing:
    number = await admin.created(shipment_body("client_001"))
    event_id = await driver.reported(event_body(number, Status.PICKED_UP))
    await driver.outcome(event_id)
    return Thing(number, event_id, await admin.created(shipment_body("client_001")))


@pytest.fixture
async def thing(admin: Api, driver: Api) -> Thing:
    return await new_thing(admin, driver)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def untouched(stack: StackAddresses, tokens: Mapping[str, str]) -> Thing:
    """Give what reads and rejected requests leave as it is."""
    async with open_api(stack.gateway_url) as nobody:
        return await new_thing(nobody.by(tokens["admin_user"]), nobody.by(tokens["driver_user_001"]))


@pytest.mark.parametrize(("route", "caller", "status"), CASES)
async def test_a_route_responds_to_each_caller_as_in_the_table(
    callers: Mapping[str, Api], untouched: Thing, route: str, caller: str, status: int
) -> None:
    changes_nothing = route.startswith(("GET ", "HEAD ")) or status >= 400
    thing = untouched if changes_nothing else await new_thing(callers["admin"], callers["sender"])
    method, path, body = _request(route, thing)

    response = await callers[caller].ask(method, path, json=body)

    assert response.status == status, response.text
    code = {401: "AUTHENTICATION_REQUIRED", 403: "FORBIDDEN"}.get(status)
    assert code is None or response.body["error"] == code


async def test_a_forbidden_request_changes_nothing(
    admin: Api, client: Api, other_client: Api, thing: Thing
) -> None:
    before = await admin.shipment(thing.number)
    refused = event_body(thing.number, Status.IN_WAREHOUSE)
    assert (await client.post("/events", refused)).status == 403
    assert (await other_client.create(shipment_body("client_001"), key="not-mine")).status == 403

    never = derive_tracking_number("client_user_002", "not-mine", 0)
    assert (await admin.get(f"/shipments/{never}")).status == 404
    assert await admin.shipment(thing.number) == before


async def test_a_client_sees_only_its_own_shipments(
    admin: Api, client: Api, other_client: Api, thing: Thing
) -> None:
    theirs = await admin.created(shipment_body("client_002"))

    listed = {
        owner: (await owner.get("/shipments?limit=100")).body["data"] for owner in (client, other_client)
    }

    assert {shipment["client_id"] for shipment in listed[client]} == {"client_001"}
    assert {shipment["client_id"] for shipment in listed[other_client]} == {"client_002"}
    assert thing.number in {shipment["tracking_number"] for shipment in listed[client]}
    assert theirs in {shipment["tracking_number"] for shipment in listed[other_client]}


async def test_the_list_of_users_shows_no_secret(admin: Api) -> None:
    response = await admin.get("/auth/users?limit=100")

    users = {user["username"]: user for user in response.body["data"]}
    seeded = {
        "admin_user": ("admin", None),
        "client_user_001": ("client", "client_001"),
        "client_user_002": ("client", "client_002"),
        "driver_user_001": ("producer", None),
    }
    assert {name: (users[name]["role"], users[name]["client_id"]) for name in seeded} == seeded
    shown = {
        "username",
        "role",
        "client_id",
        "disabled",
        "allowed_sources",
        "seeded",
        "created_at",
        "updated_at",
    }
    assert all(set(user) == shown for user in users.values())
    assert "$2b$" not in response.text


def _request(route: str, thing: Thing) -> tuple[str, str, Json | None]:
    """Return the request for a line of the table."""
    unknown = TrackingNumber(derive_tracking_number("nobody", uuid4().hex, 0))
    event = event_body(thing.number, Status.IN_WAREHOUSE)
    bodies: dict[str, Json] = {
        "POST /events": event,
        "POST /events/batch": {"events": [event]},
        "POST /events/{unknown_event}/retract": {"reason": "scanned at the wrong door"},
        "POST /shipments for client_001": shipment_body("client_001"),
        "POST /shipments for the caller": shipment_body(None),
        "POST /auth/users": {
            "username": f"user_{uuid4().hex[:8]}",
            "password": "blue-truck-seven",
            "role": "producer",
        },
        "PATCH /shipments/{fresh}": {"package": {"weight_kg": 3.5}},
        "PATCH /shipments/{number}": {"package": {"weight_kg": 3.5}},
        "PATCH /shipments/{unknown}": {"package": {"weight_kg": 3.5}},
        "POST /partitions/999999/resume": {"reason": "it is repaired"},
        "PUT /quarantine/{unknown}": {"reason": "its events break the processor"},
        "POST /dead-letters/replay": {"ids": ["dl_0_999999"]},
        "POST /dead-letters/{unknown_dead_letter}/discard": {"reason": "nobody needs it"},
        "PATCH /auth/users/client_user_001": {"disabled": False},
        "PATCH /auth/users/nobody": {"disabled": False},
    }
    method, path = route.partition(" for ")[0].split()
    path = path.format(
        number=thing.number,
        event=thing.event,
        fresh=thing.fresh,
        unknown_dead_letter="dl_0_999999",
        unknown_link="ln_aaaaaaaaaaaaaaaaaaaa",
        creation=creation_event_id(TrackingNumber(thing.number)),
        unknown=unknown,
        unknown_event=creation_event_id(unknown),
    )
    return method, path, bodies.get(route)
