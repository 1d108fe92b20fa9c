"""Whoever asked for a change can look up what became of it, and learns nothing of whose shipment it was."""

import pytest

from domain.access.permissions import Principal
from domain.ports.core import Fence
from tests.support.builders import (
    NUMBER,
    RECORDED_AT,
    amendment,
    creation,
    deliveries,
    number,
    plan_for,
)
from tests.unit.query_api.conftest import ADMIN, CLIENT, DRIVER, OTHER_CLIENT, Api, World

# builders: sent by client_user_001, the user of client_001
FOREIGN = amendment(on_behalf_of="client_001")
NOBODYS = amendment(number(9), on_behalf_of="client_001")


@pytest.fixture(autouse=True)
async def changes(world: World) -> None:
    fence = Fence("shipments.events/0", 1, 0)
    world.store.documents.fences[fence.partition] = fence
    plan = plan_for(deliveries(creation(client_id="client_002"), FOREIGN, NOBODYS))
    await world.store.commit(fence, plan, recorded_at=RECORDED_AT)


@pytest.mark.parametrize(
    ("event_id", "reason"), [(FOREIGN.event_id, "FORBIDDEN"), (NOBODYS.event_id, "SHIPMENT_NOT_FOUND")]
)
async def test_a_rejected_change_is_shown_to_whoever_sent_it(api: Api, event_id: str, reason: str) -> None:
    answer = await api.get(f"/events/{event_id}", CLIENT)
    body = await answer.json()
    assert (answer.status, body["outcome"], body["reason"]) == (200, "rejected", reason)
    assert (body["client_id"], body["status"]) == (None, None)
    assert "client_002" not in str(body)


@pytest.mark.parametrize(("who", "status"), [(ADMIN, 200), (OTHER_CLIENT, 403), (DRIVER, 403)])
async def test_and_to_nobody_else_but_admins(api: Api, who: Principal, status: int) -> None:
    assert (await api.get(f"/events/{FOREIGN.event_id}", who)).status == status


async def test_the_shipment_itself_stays_closed(api: Api) -> None:
    assert (await api.get(f"/shipments/{NUMBER}", CLIENT)).status == 403
