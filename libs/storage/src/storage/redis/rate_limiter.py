"""Rate limits: a GCRA bucket per key in Redis, taken in lots, and a local bucket while Redis is away."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from domain.access.rate_limit import Grant, Quota, give_back, grant_of, take
from domain.ports.core import RateLimiter
from storage.redis.breaker import RedisBreaker
from storage.redis.connection import RedisClient

LOT_S: Final = 0.05
REMEMBERED_KEYS: Final = 10_000
_US: Final = 1_000_000

# `domain.access.rate_limit.take`, with the server's clock: replicas whose clocks differ share one bucket.
# The value is the instant at which the bucket is full again; the key expires then.
_TAKE: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, limit, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local backlog = math.max(tonumber(redis.call('GET', KEYS[1]) or now) - now, 0)
local free = math.max(math.floor((limit * interval - backlog) / interval), 0)
local granted = math.min(wanted, free)
if granted > 0 then
  backlog = backlog + granted * interval
  redis.call('SET', KEYS[1], string.format('%.0f', now + backlog), 'PX', math.ceil(backlog / 1000))
end
return {granted, backlog}
"""

_GIVE_BACK: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, amount = tonumber(ARGV[1]), tonumber(ARGV[2])
local backlog = tonumber(redis.call('GET', KEYS[1]) or now) - now - amount * interval
if backlog > 0 then
  redis.call('SET', KEYS[1], string.format('%.0f', now + backlog), 'PX', math.ceil(backlog / 1000))
else
  redis.call('DEL', KEYS[1])
end
return 1
"""


class LocalRateLimiter:
    """`RateLimiter` in this process alone, for the time that Redis is away."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, remembered: int = REMEMBERED_KEYS
    ) -> None:
        self._clock = clock
        self._remembered = remembered
        self._full_at_us: OrderedDict[str, int] = OrderedDict()

    async def take(self, key: str, quota: Quota, *, wanted: int = 1) -> Grant:
        """See `RateLimiter.take`."""
        now_us = int(self._clock() * _US)
        granted, backlog_us = take(quota, backlog_us=self._backlog_us(key, now_us), wanted=wanted)
        self._remember(key, now_us + backlog_us)
        return grant_of(quota, granted=granted, backlog_us=backlog_us)

    async def give_back(self, key: str, quota: Quota, amount: int) -> None:
        """See `RateLimiter.give_back`."""
        now_us = int(self._clock() * _US)
        backlog_us = give_back(quota, backlog_us=self._backlog_us(key, now_us), amount=amount)
        self._remember(key, now_us + backlog_us)

    def _backlog_us(self, key: str, now_us: int) -> int:
        return max(0, self._full_at_us.get(key, now_us) - now_us)

    def _remember(self, key: str, full_at_us: int) -> None:
        self._full_at_us[key] = full_at_us
        self._full_at_us.move_to_end(key)
        if len(self._full_at_us) > self._remembered:
            self._full_at_us.popitem(last=False)


class RedisRateLimiter:
    """`RateLimiter` on Redis: exact over all replicas, one round trip per call."""

    def __init__(self, redis: RedisClient, *, otherwise: RateLimiter | None = None) -> None:
        self._take = redis.register_script(_TAKE)
        self._give_back = redis.register_script(_GIVE_BACK)
        self._breaker = RedisBreaker("rate_limiter")
        self._otherwise = otherwise or LocalRateLimiter()

    async def take(self, key: str, quota: Quota, *, wanted: int = 1) -> Grant:
        """See `RateLimiter.take`."""

        async def ask() -> tuple[int, int] | None:
            granted, backlog_us = await self._take(
                keys=[f"limit:{key}"], args=[quota.interval_us, quota.limit, wanted]
            )
            return granted, backlog_us

        result = await self._breaker.run(ask, otherwise=None)
        if result is None:
            return await self._otherwise.take(key, quota, wanted=wanted)
        return grant_of(quota, granted=result[0], backlog_us=result[1])

    async def give_back(self, key: str, quota: Quota, amount: int) -> None:
        """See `RateLimiter.give_back`."""

        async def ask() -> bool:
            await self._give_back(keys=[f"limit:{key}"], args=[quota.interval_us, amount])
            return True

        if not await self._breaker.run(ask, otherwise=False):
            await self._otherwise.give_back(key, quota, amount)


@dataclass(slots=True)
class _Lot:
    """Share of one bucket that this replica holds, and the local time at which the bucket is full again."""

    left: int = 0
    full_at: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def grant(self, quota: Quota, now: float, *, granted: int) -> Grant:
        backlog_us = round(max(0.0, self.full_at - now) * _US)
        return grant_of(quota, granted=granted, backlog_us=backlog_us, held=self.left)


class LotRateLimiter:
    """`RateLimiter` that takes `LOT_S` worth of a bucket at once, so that most requests need no round trip.

    A lot is held until it is used, so every key gets its whole quota. No key gets more than the quota and
    one lot per replica: 5 % of a second's worth each.
    """

    def __init__(
        self,
        source: RateLimiter,
        *,
        clock: Callable[[], float] = time.monotonic,
        remembered: int = REMEMBERED_KEYS,
    ) -> None:
        self._source = source
        self._clock = clock
        self._remembered = remembered
        self._lots: OrderedDict[str, _Lot] = OrderedDict()

    async def take(self, key: str, quota: Quota, *, wanted: int = 1) -> Grant:
        """See `RateLimiter.take`."""
        lot = self._lot(key)
        if lot.left < wanted:
            async with lot.lock:  # concurrent requests share one round trip
                if lot.left < wanted:
                    refused = await self._refill(lot, key, quota, wanted=wanted)
                    if refused is not None:
                        return refused
                lot.left -= wanted
        else:
            lot.left -= wanted
        return lot.grant(quota, self._clock(), granted=wanted)

    async def give_back(self, key: str, quota: Quota, amount: int) -> None:
        """See `RateLimiter.give_back`."""
        await self._source.give_back(key, quota, amount)
        lot = self._lot(key)
        lot.full_at -= amount * quota.interval_us / _US

    async def _refill(self, lot: _Lot, key: str, quota: Quota, *, wanted: int) -> Grant | None:
        """Fetch a lot; return the refusal if there is none, and remember it until it ends."""
        known = lot.grant(quota, self._clock(), granted=0)
        if known.retry_after_s > 0:
            return known
        size = max(wanted, int(quota.limit * LOT_S / quota.window_s))
        grant = await self._source.take(key, quota, wanted=size)
        now = self._clock()
        lot.left += grant.granted
        lot.full_at = now + grant.reset_after_s
        return None if lot.left >= wanted else lot.grant(quota, now, granted=0)

    def _lot(self, key: str) -> _Lot:
        lot = self._lots.get(key)
        if lot is None:
            lot = self._lots[key] = _Lot()
            if len(self._lots) > self._remembered:
                self._lots.popitem(last=False)
        else:
            self._lots.move_to_end(key)
        return lot
