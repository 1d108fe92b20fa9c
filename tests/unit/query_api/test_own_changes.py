"""Senders can look up the outcome of their changes without learning the owner of the shipment."""

import pytest

from domain.access.permissions import Principal
from domain.ports.core import Fence
from tests.support.builders import (
    NUMBER,
    RECORDED_AT,
    amendment,
    consumed_all,
    creation,
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
    plan = plan_for(consumed_all(creation(client_id="client_002"), FOREIGN, NOBODYS))
    await world.store.commit([(fence, plan)], recorded_at=RECORDED_AT)


@pytest.mark.parametrize(
    ("event_id", "reason"), [(FOREIGN.event_id, "FORBIDDEN"), (NOBODYS.event_id, "SHIPMENT_NOT_FOUND")]
)
async def test_rejected_change_is_visible_to_its_sender(api: Api, event_id: str, reason: str) -> None:
    response = await api.get(f"/events/{event_id}", CLIENT)
    body = await response.json()
    assert (response.status, body["outcome"], body["reason"]) == (200, "rejected", reason)
    assert (body["client_id"], body["status"]) == (None, None)
    assert "client_002" not in str(body)


@pytest.mark.parametrize(("who", "status"), [(ADMIN, 200), (OTHER_CLIENT, 403), (DRIVER, 403)])
async def test_rejected_change_is_hidden_from_others_except_admins(
    api: Api, who: Principal, status: int
) -> None:
    assert (await api.get(f"/events/{FOREIGN.event_id}", who)).status == status


async def test_shipment_of_a_rejected_change_stays_hidden(api: Api) -> None:
    assert (await api.get(f"/shipments/{NUMBER}", CLIENT)).status == 403
