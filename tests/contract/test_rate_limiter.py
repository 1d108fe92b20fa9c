"""`RateLimiter`: shares a quota out exactly, and is never without limit."""

import asyncio
import itertools
import uuid

import pytest
from redis.asyncio import Redis

from domain.access.rate_limit import Quota
from domain.ports.core import RateLimiter
from storage.redis.rate_limiter import LocalRateLimiter, LotRateLimiter, RedisRateLimiter

SLOW = Quota("slow", 5, 60)
FAST = Quota("fast", 1000, 10)


@pytest.fixture
def key() -> str:
    return uuid.uuid4().hex


@pytest.fixture(params=["memory", "gone", pytest.param("redis", marks=pytest.mark.stack)])
def limiter(request: pytest.FixtureRequest) -> RateLimiter:
    if request.param == "memory":
        return LocalRateLimiter()
    name = "redis_client" if request.param == "redis" else "redis_that_is_gone"
    return RedisRateLimiter(request.getfixturevalue(name))


async def test_so_many_and_no_more(limiter: RateLimiter, key: str) -> None:
    grants = [await limiter.take(key, SLOW) for _ in range(7)]
    assert [grant.granted for grant in grants] == [1] * 5 + [0] * 2
    assert [grant.remaining for grant in grants] == [4, 3, 2, 1, 0, 0, 0]
    assert 10 < grants[-1].retry_after_s <= 12
    assert 58 < grants[-1].reset_after_s <= 60


async def test_others_have_buckets_of_their_own(limiter: RateLimiter, key: str) -> None:
    await limiter.take(key, SLOW, wanted=5)
    assert (await limiter.take(f"{key}-other", SLOW)).granted == 1


async def test_a_lot_may_be_smaller_than_wanted(limiter: RateLimiter, key: str) -> None:
    assert (await limiter.take(key, SLOW, wanted=3)).granted == 3
    assert (await limiter.take(key, SLOW, wanted=3)).granted == 2
    assert (await limiter.take(key, SLOW, wanted=3)).granted == 0


@pytest.mark.parametrize("wrapped", ["alone", "in lots"])
async def test_what_is_given_back_can_be_taken_again(limiter: RateLimiter, key: str, wrapped: str) -> None:
    buckets = LotRateLimiter(limiter) if wrapped == "in lots" else limiter
    await buckets.take(key, SLOW, wanted=5)
    await buckets.give_back(key, SLOW, 3)
    assert [(await buckets.take(key, SLOW)).granted for _ in range(4)] == [1, 1, 1, 0]


async def test_giving_back_more_than_was_taken_leaves_a_full_bucket(limiter: RateLimiter, key: str) -> None:
    await limiter.take(key, SLOW, wanted=2)
    await limiter.give_back(key, SLOW, 4)
    await limiter.give_back(key, SLOW, 4)
    assert (await limiter.take(key, SLOW, wanted=6)).granted == 5


@pytest.mark.race
async def test_what_comes_at_once_is_counted_once_each(limiter: RateLimiter, key: str) -> None:
    grants = await asyncio.gather(*(limiter.take(key, SLOW) for _ in range(20)))
    assert sum(grant.granted for grant in grants) == 5


@pytest.mark.race
async def test_lots_give_the_whole_quota_and_one_lot_more_per_replica(limiter: RateLimiter, key: str) -> None:
    replicas = [LotRateLimiter(limiter), LotRateLimiter(limiter)]
    grants = await asyncio.gather(*(replicas[i % 2].take(key, FAST) for i in range(1500)))
    admitted = sum(grant.granted for grant in grants)
    assert 990 <= admitted <= 1000 + 200  # 100 a second become free meanwhile, and two lots of 5
    assert all((grant.granted == 0) == (grant.retry_after_s > 0) for grant in grants if not grant.granted)


async def test_a_refusal_says_when_to_come_back_however_long_its_answer_took() -> None:
    seconds = itertools.count()
    lots = LotRateLimiter(LocalRateLimiter(), clock=lambda: float(next(seconds)))
    grants = [await lots.take("key", FAST, wanted=600) for _ in range(2)]
    assert [grant.granted for grant in grants] == [600, 0]
    assert grants[1].retry_after_s > 0


@pytest.mark.stack
async def test_a_bucket_that_is_full_again_leaves_nothing(redis_client: Redis, key: str) -> None:
    await RedisRateLimiter(redis_client).take(key, SLOW)
    assert 11_000 < await redis_client.pttl(f"limit:{key}") <= 12_000
