"""The cache of subscriptions: what it matches, and what it knows after a refresh."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import StoreUnavailable
from domain.shipments.status import Status
from domain.webhooks.message import MESSAGE_TYPES, Change
from tests.support.builders import NOON
from tests.support.fakes import FixedClock
from webhooks.fanout.subscription_cache import SubscriptionCache
from webhooks.stores.subscriptions import Subscription

CLIENTS = ("client_001", "client_002", "client_003")


class Endpoints:
    """A stand-in for `MongoSubscriptionStore`: subscriptions with the instant of their last change."""

    def __init__(self) -> None:
        self.stored: dict[str, tuple[datetime, Subscription]] = {}
        self.reads = 0
        self.gate: asyncio.Event | None = None
        self.is_away = False

    def put(self, subscription: Subscription, at: datetime = NOON) -> None:
        self.stored[subscription.endpoint_id] = (at, subscription)

    async def all(self) -> list[Subscription]:
        return await self._read([each for _, each in self.stored.values()])

    async def changed_since(self, instant: datetime) -> list[Subscription]:
        return await self._read([each for at, each in self.stored.values() if at >= instant])

    async def _read(self, found: Sequence[Subscription]) -> list[Subscription]:
        self.reads += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.is_away:
            raise StoreUnavailable("away")
        return list(found)


@pytest.fixture
def endpoints() -> Endpoints:
    return Endpoints()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def cache(endpoints: Endpoints, clock: FixedClock) -> SubscriptionCache:
    return SubscriptionCache(endpoints, clock)


def subscription(
    name: str = "wh_1",
    *,
    client_id: str | None = "client_001",
    types: frozenset[str] = frozenset(MESSAGE_TYPES),
    created_at: datetime = NOON,
    is_paused: bool = False,
) -> Subscription:
    return Subscription(
        endpoint_id=name, client_id=client_id, types=types, is_paused=is_paused, created_at=created_at
    )


def change(client_id: str = "client_001", status: Status = Status.PICKED_UP) -> Change:
    return Change(
        change_id="evt_1",
        tracking_number="99M-0123456789AM",
        client_id=client_id,
        version=2,
        current_status=status,
        previous_status=Status.CREATED,
        timestamp=NOON,
    )


def wanted(cache: SubscriptionCache, of: Change | None = None, created_by: datetime = NOON) -> set[str]:
    found = [each.endpoint_id for each in cache.wanting(of or change(), created_by)]
    assert len(found) == len(set(found))
    return set(found)


SUBSCRIPTIONS = st.builds(
    subscription,
    st.integers(0, 20).map(lambda index: f"wh_{index}"),
    client_id=st.none() | st.sampled_from(CLIENTS),
    types=st.frozensets(st.sampled_from(MESSAGE_TYPES)),
    created_at=st.integers(-3, 3).map(lambda hours: NOON + timedelta(hours=hours)),
)


@given(
    st.lists(SUBSCRIPTIONS, max_size=30),
    st.builds(change, st.sampled_from(CLIENTS), st.sampled_from(Status)),
    st.integers(-3, 3).map(lambda hours: NOON + timedelta(hours=hours)),
)
def test_a_change_is_for_those_of_its_client_or_of_all_that_want_its_type_and_were_there(
    stored: list[Subscription], changed: Change, created_by: datetime
) -> None:
    endpoints = Endpoints()
    cache = SubscriptionCache(endpoints, FixedClock(NOON))

    async def take_over_one_by_one() -> None:
        for each in stored:
            endpoints.put(each)
            await cache.refresh()

    asyncio.run(take_over_one_by_one())
    last = {each.endpoint_id: each for each in stored}
    assert wanted(cache, changed, created_by) == {
        each.endpoint_id
        for each in last.values()
        if each.client_id in (None, changed.client_id)
        and changed.type in each.types
        and each.created_at <= created_by
    }
    assert len(cache) == len(last)
    assert cache.oldest == min((each.created_at for each in last.values()), default=None)


async def test_what_was_changed_is_taken_over(
    cache: SubscriptionCache, endpoints: Endpoints, clock: FixedClock
) -> None:
    endpoints.put(subscription())
    await cache.refresh()
    clock.advance(timedelta(hours=1))
    endpoints.put(subscription(is_paused=True), clock.now())
    await cache.refresh()
    assert [each.is_paused for each in cache.wanting(change(), NOON)] == [True]


async def test_an_endpoint_that_becomes_visible_late_is_seen(
    cache: SubscriptionCache, endpoints: Endpoints, clock: FixedClock
) -> None:
    await cache.refresh()
    clock.advance(timedelta(minutes=5))
    await cache.refresh()
    endpoints.put(subscription(), clock.now() - timedelta(seconds=15))
    await cache.refresh()
    assert wanted(cache) == {"wh_1"}


async def test_unchanged_endpoints_are_not_read_again(
    cache: SubscriptionCache, endpoints: Endpoints, clock: FixedClock
) -> None:
    for index in range(100):
        endpoints.put(subscription(f"wh_{index}"))
    await cache.refresh()
    clock.advance(timedelta(hours=1))
    await cache.refresh()
    assert await endpoints.changed_since(clock.now() - timedelta(minutes=1)) == []
    assert len(wanted(cache)) == 100


async def test_a_refresh_that_was_asked_for_sees_what_a_running_one_has_missed(
    cache: SubscriptionCache, endpoints: Endpoints
) -> None:
    endpoints.gate = asyncio.Event()
    running = asyncio.create_task(cache.refresh())
    await asyncio.sleep(0)
    assert endpoints.reads == 1
    endpoints.put(subscription())
    asked = [asyncio.create_task(cache.refresh()) for _ in range(10)]
    await asyncio.sleep(0)
    endpoints.gate.set()
    await asyncio.gather(running, *asked)
    assert wanted(cache) == {"wh_1"}
    assert endpoints.reads == 2, "those who wait share one"


async def test_a_failed_refresh_serves_nobody(cache: SubscriptionCache, endpoints: Endpoints) -> None:
    endpoints.is_away = True
    failed = await asyncio.gather(*(cache.refresh() for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in failed] == [StoreUnavailable] * 3
    endpoints.is_away = False
    endpoints.put(subscription())
    await cache.refresh()
    assert wanted(cache) == {"wh_1"}


async def test_a_deleted_endpoint_goes_with_the_next_reload(
    cache: SubscriptionCache, endpoints: Endpoints
) -> None:
    endpoints.put(subscription("wh_1"))
    endpoints.put(subscription("wh_2", client_id=None))
    await cache.refresh()
    del endpoints.stored["wh_1"]
    await cache.refresh()
    assert wanted(cache) == {"wh_1", "wh_2"}
    await cache.reload()
    assert wanted(cache) == {"wh_2"}
    cache.forget(["wh_2", "wh_3"])
    assert (wanted(cache), len(cache), cache.oldest) == (set(), 0, None)
