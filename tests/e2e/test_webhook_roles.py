"""Permissions by role and owner: every route of webhooks, called by everyone."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.e2e.traffic import shipment_body
from tests.support.access_table import CALLERS, access_table
from tests.support.api import Api, Json, eventually, open_api
from tests.support.stack import StackAddresses

pytestmark = pytest.mark.stack

# Never resolves, wherever the tests run.
URL = "https://receiver.invalid/waybill"
UNKNOWN = {
    "unknown_endpoint": "wh_aaaaaaaaaaaaaaaaaaaa",
    "unknown_replay": "rp_aaaaaaaaaaaaaaaaaaaa",
}
PERIOD = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
BODIES: dict[str, Json] = {
    "POST /webhooks for client_001": {"url": URL, "client_id": "client_001"},
    "POST /webhooks for the caller": {"url": URL},
    "PATCH /webhooks/{endpoint}": {"description": "our ERP"},
    "PATCH /webhooks/{general_endpoint}": {"description": "our ERP"},
    "PATCH /webhooks/{unknown_endpoint}": {"description": "our ERP"},
    "POST /webhooks/{endpoint}/secret/rotate": {"grace_s": 0},
    "POST /webhooks/{endpoint}/replays": PERIOD,
}
CASES = [
    (route, caller, status)
    for route, statuses in access_table().items()
    if " /webhooks" in route
    for caller, status in zip(CALLERS, statuses, strict=True)
]


@dataclass(frozen=True, slots=True)
class Thing:
    """An endpoint of client_001 with a delivery, and one of all clients."""

    endpoint: str
    delivery: str
    general_endpoint: str

    def fill(self, path: str) -> str:
        return path.format(
            endpoint=self.endpoint,
            delivery=self.delivery,
            general_endpoint=self.general_endpoint,
            **UNKNOWN,
        )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def thing(stack: StackAddresses, tokens: Mapping[str, str]) -> AsyncIterator[Thing]:
    async with open_api(stack.gateway_url) as nobody:
        admin, owner = nobody.by(tokens["admin_user"]), nobody.by(tokens["client_user_001"])
        endpoint = (await owner.post("/webhooks", {"url": URL, "types": ["shipment.created"]})).body["id"]
        general = (await admin.post("/webhooks", {"url": URL, "types": ["shipment.corrected"]})).body["id"]
        await owner.created(shipment_body(None))

        async def delivery() -> str | None:
            listed = (await owner.get(f"/webhooks/{endpoint}/deliveries")).body["data"]
            return listed[0]["id"] if listed else None

        yield Thing(endpoint, await eventually(delivery), general)
        for each in (endpoint, general):
            assert (await admin.ask("DELETE", f"/webhooks/{each}")).status == 204


@pytest.mark.parametrize(("route", "caller", "status"), CASES)
async def test_a_route_responds_to_each_caller_as_in_the_table(
    callers: Mapping[str, Api], thing: Thing, route: str, caller: str, status: int
) -> None:
    method, path = route.partition(" for ")[0].split()
    made = None
    if method == "DELETE" and "{endpoint}" in path:
        made = (await callers["owner"].post("/webhooks", {"url": URL})).body["id"]
        path = f"/webhooks/{made}"

    response = await callers[caller].ask(method, thing.fill(path), json=BODIES.get(route))

    assert response.status == status, response.text
    code = {401: "AUTHENTICATION_REQUIRED", 403: "FORBIDDEN"}.get(status)
    assert code is None or response.body["error"] == code
    if path == "/webhooks" and status == 201:
        made = response.body["id"]
    if made is not None:
        await callers["admin"].ask("DELETE", f"/webhooks/{made}")


async def test_a_client_sees_only_its_own_endpoints(
    admin: Api, client: Api, other_client: Api, thing: Thing
) -> None:
    listed = {
        owner: {
            each["id"]: each["client_id"] for each in (await owner.get("/webhooks?limit=100")).body["data"]
        }
        for owner in (admin, client, other_client)
    }

    assert set(listed[client].values()) == {"client_001"}
    assert set(listed[other_client].values()) <= {"client_002"}
    assert thing.endpoint in listed[client]
    assert {thing.endpoint, thing.general_endpoint} <= listed[admin].keys()
