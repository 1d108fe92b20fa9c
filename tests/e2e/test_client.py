"""The Python client on a running stack, and on a network that loses responses."""

import asyncio
import uuid
from contextlib import aclosing

import pytest

from tests.support.api import eventually
from tests.support.proxy import Proxy
from tests.support.stack import StackAddresses
from waybill import AsyncWaybill, Conflict, Waybill
from waybill.fields import NewShipment
from waybill.models import Changed, Registered

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]

PASSWORD = "password123"  # noqa: S105  # public: the seed of a development stack has it
PARCEL: NewShipment = {
    "origin_address": "Calle 7, Puebla",
    "origin_lat": 19.04,
    "origin_lng": -98.2,
    "destination_address": "Calle 9, Oaxaca",
    "destination_lat": 17.07,
    "destination_lng": -96.72,
    "weight_kg": 1,
    "client_id": "client_001",
}


def admin(url: str) -> AsyncWaybill:
    return AsyncWaybill(url, username="admin_user", password=PASSWORD)


async def test_a_creation_whose_response_is_lost_makes_one_shipment(stack: StackAddresses) -> None:
    reference = f"order {uuid.uuid4()}"
    parcel: NewShipment = {**PARCEL, "reference": reference}
    proxy = Proxy(stack.gateway_url.removeprefix("http://"))
    async with admin(stack.gateway_url) as direct, proxy.running():
        token = (await direct.auth.login()).token
        client = AsyncWaybill(f"http://{proxy.address}", token=token, timeout=3.0)
        proxy.stall(answers_only=True)
        creating = asyncio.create_task(client.shipments.create(**parcel, wait=0))
        await eventually(lambda: _numbers(direct, reference))
        await eventually(lambda: _second_connection(proxy), within_s=20)  # the first attempt has given up
        assert not creating.done()
        proxy.heal()
        created = await creating
        await client.close()
        found = await _numbers(direct, reference)
    assert found == [created.tracking_number]


async def _second_connection(proxy: Proxy) -> bool | None:
    return proxy.connections > 1 or None


async def _numbers(client: AsyncWaybill, reference: str) -> list[str] | None:
    numbers = [each.tracking_number async for each in client.shipments.list(reference=reference)]
    return numbers or None


async def test_a_stream_follows_a_shipment(stack: StackAddresses) -> None:
    async with admin(stack.gateway_url) as client:
        number = (await client.shipments.create(**PARCEL)).tracking_number
        async with aclosing(client.shipments.stream(number)) as changes:
            assert (await anext(changes)).current_status == "created"
            await client.events.report(number, "picked_up", source="driver-017", wait=10)
            change = await anext(changes)
    assert (change.version, change.current_status) == (2, "picked_up")


def test_a_shipment_is_changed_as_long_as_nobody_was_faster(stack: StackAddresses) -> None:
    with Waybill(stack.gateway_url, username="admin_user", password=PASSWORD) as client:
        created = client.shipments.create(**PARCEL)
        assert isinstance(created, Registered)
        changed = client.shipments.amend(created.tracking_number, weight_kg=2.5, if_version=1)
        assert isinstance(changed, Changed)
        assert client.shipments.get(created.tracking_number).package.weight_kg == 2.5
        cancelled = client.shipments.cancel(created.tracking_number, if_version=changed.version)
        assert cancelled.status == "cancelled"
        with pytest.raises(Conflict) as refused:
            client.events.report(created.tracking_number, "picked_up", source="driver-017", wait=10)
        assert "is cancelled" in refused.value.message
        [rejected] = client.shipments.events(created.tracking_number, outcome="rejected")
        assert (rejected.current_status, rejected.may_follow) == ("cancelled", ())
        outcomes = [each.outcome for each in client.shipments.events(created.tracking_number, limit=1)]
    assert sorted(outcomes) == ["applied", "applied", "applied", "rejected"]


def test_a_token_that_was_revoked_is_replaced(stack: StackAddresses) -> None:
    name = f"driver_{uuid.uuid4().hex[:12]}"
    with Waybill(stack.gateway_url, username="admin_user", password=PASSWORD) as client:
        client.users.create(name, "a long enough password", "producer")
        key = client.users.create_api_key(name)
        number = client.shipments.create(**PARCEL).tracking_number
        with Waybill(stack.gateway_url, api_key=key.api_key) as driver:
            driver.events.report(number, "picked_up", source="driver-017", wait=10)
            client.users.change(name, allowed_sources=["driver-"])  # revokes its tokens
            reported = driver.events.report(number, "in_warehouse", source="driver-017", wait=10)
    assert reported.status == "applied"


def test_events_are_sent_in_a_batch_past_invalid_ones(stack: StackAddresses) -> None:
    with Waybill(stack.gateway_url, username="admin_user", password=PASSWORD) as client:
        number = client.shipments.create(**PARCEL).tracking_number
        scans = [{"tracking_number": number, "status": "picked_up", "source": f"s{i}"} for i in range(502)]
        scans[501]["status"] = "lost"
        result = client.events.report_batch(scans, lenient=True)
    assert (result.received, result.queued, result.rejected) == (502, 501, 1)
    (rejected,) = [each for each in result.events if each.status == "rejected"]
    assert rejected.index == 501
