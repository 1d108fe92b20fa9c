"""`DuplicateFilter`: a hint without false hits that never raises."""

from datetime import timedelta

import pytest

from domain.ports.core import DuplicateFilter
from tests.support.fakes import FixedClock, InMemoryDuplicateFilter

PARTITION = "shipments.events/3"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.stack)])
def duplicates(request: pytest.FixtureRequest, clock: FixedClock) -> DuplicateFilter:
    if request.param == "memory":
        return InMemoryDuplicateFilter()
    from storage.redis.duplicate_filter import RedisDuplicateFilter  # noqa: PLC0415  # only with the stack

    return RedisDuplicateFilter(request.getfixturevalue("redis_client"), clock)


@pytest.fixture(params=["memory", "redis"])
def unreachable(request: pytest.FixtureRequest, clock: FixedClock) -> DuplicateFilter:
    if request.param == "memory":
        fake = InMemoryDuplicateFilter()
        fake.reachable = False
        return fake
    from storage.redis.duplicate_filter import RedisDuplicateFilter  # noqa: PLC0415  # with its param

    return RedisDuplicateFilter(request.getfixturevalue("redis_that_is_gone"), clock)


async def test_unmarked_members_are_not_seen(duplicates: DuplicateFilter) -> None:
    assert list((await duplicates.seen({PARTITION: ["a", "b"]}))[PARTITION]) == [False, False]


async def test_marked_members_are_seen(duplicates: DuplicateFilter) -> None:
    await duplicates.mark({PARTITION: ["b", "d"]})
    await duplicates.mark({PARTITION: ["e", "d"]})
    assert list((await duplicates.seen({PARTITION: ["a", "b", "c", "d", "e", "b"]}))[PARTITION]) == [
        False,
        True,
        False,
        True,
        True,
        True,
    ]


async def test_a_longer_or_shorter_member_is_another(duplicates: DuplicateFilter) -> None:
    await duplicates.mark({PARTITION: ["event:fingerprint"]})
    seen = await duplicates.seen({PARTITION: ["event", "event:fingerprint2"]})
    assert list(seen[PARTITION]) == [False, False]


async def test_partitions_know_nothing_of_each_other(duplicates: DuplicateFilter) -> None:
    await duplicates.mark({PARTITION: ["a"]})
    assert list((await duplicates.seen({"shipments.events/33": ["a"]}))["shipments.events/33"]) == [False]


async def test_nothing_asked_or_marked_is_nothing_done(duplicates: DuplicateFilter) -> None:
    await duplicates.mark({PARTITION: []})
    assert list((await duplicates.seen({PARTITION: []}))[PARTITION]) == []


@pytest.mark.parametrize("minutes", [0, 1, 59])
async def test_a_mark_lasts_for_an_hour_across_the_turn_of_it(
    duplicates: DuplicateFilter, clock: FixedClock, minutes: int
) -> None:
    clock.advance(timedelta(minutes=minutes))
    await duplicates.mark({PARTITION: ["a"]})
    clock.advance(timedelta(minutes=60))
    assert list((await duplicates.seen({PARTITION: ["a"]}))[PARTITION]) == [True]


async def test_a_batch_of_500_is_one_question(duplicates: DuplicateFilter) -> None:
    members = [f"evt_{index}:fingerprint" for index in range(500)]
    await duplicates.mark({PARTITION: members[::2]})
    assert list((await duplicates.seen({PARTITION: members}))[PARTITION]) == [True, False] * 250


async def test_out_of_reach_it_has_seen_nothing_and_never_raises(unreachable: DuplicateFilter) -> None:
    for _ in range(5):
        await unreachable.mark({PARTITION: ["a"]})
        assert list((await unreachable.seen({PARTITION: ["a", "b"]}))[PARTITION]) == [False, False]
