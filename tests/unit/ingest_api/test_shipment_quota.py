"""Quota of events per caller and shipment."""

from unittest import mock

import pytest
from aiohttp.test_utils import TestClient, TestServer

from httpkit.response.errors import ApiError
from ingest_api.shipment_quota import FREE, HOUR_S, SHIPMENT_QUOTAS, ShipmentQuotas
from storage.redis.rate_limiter import LocalRateLimiter
from tests.support.builders import NUMBER, number
from tests.unit.ingest_api.bodies import event_body
from tests.unit.ingest_api.doubles import ADMIN, Ingest

PER_HOUR = 100


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shares(clock: Clock) -> ShipmentQuotas:
    return ShipmentQuotas(LocalRateLimiter(clock=clock), PER_HOUR, clock=clock)


async def test_events_per_caller_and_shipment_are_bounded(shares: ShipmentQuotas) -> None:
    await shares.take("ana", [NUMBER] * (FREE + PER_HOUR))
    with pytest.raises(ApiError) as refused:
        await shares.take("ana", [NUMBER])
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "36"})
    await shares.take("ana", [number(2)] * FREE)
    await shares.take("luis", [NUMBER] * FREE)


async def test_quota_of_a_shipment_refills_with_time(shares: ShipmentQuotas, clock: Clock) -> None:
    await shares.take("ana", [NUMBER] * (FREE + PER_HOUR))
    clock.now += HOUR_S / PER_HOUR
    await shares.take("ana", [NUMBER])
    with pytest.raises(ApiError):
        await shares.take("ana", [NUMBER])
    clock.now += HOUR_S
    await shares.take("ana", [NUMBER] * FREE)


async def test_few_events_of_many_shipments_need_no_round_trip() -> None:
    limiter = mock.Mock(LocalRateLimiter)
    shares = ShipmentQuotas(limiter, PER_HOUR)
    await shares.take("ana", [number(index) for index in range(1000)] * 2)
    limiter.take.assert_not_called()


@pytest.mark.parametrize("way", ["event", "batch", "change", "cancel"])
async def test_every_write_to_a_shipment_is_counted(way: str, clock: Clock) -> None:
    ingest, shares = Ingest(), ShipmentQuotas(LocalRateLimiter(clock=clock), 1, clock=clock)
    await shares.take(ADMIN.subject, [NUMBER] * (FREE + 1))
    app = ingest.app()
    app[SHIPMENT_QUOTAS] = shares
    asks: dict[str, tuple[str, str, object]] = {
        "event": ("POST", "/events", event_body()),
        "batch": ("POST", "/events/batch", {"events": [event_body()]}),
        "change": ("PATCH", f"/shipments/{NUMBER}", {"package": {"weight_kg": 2}}),
        "cancel": ("DELETE", f"/shipments/{NUMBER}", b""),
    }
    async with TestClient(TestServer(app)) as client:
        ingest.client = client
        assert (await ingest.ask(*asks[way], caller=ADMIN)).status == 429
    assert ingest.log.commands == []
