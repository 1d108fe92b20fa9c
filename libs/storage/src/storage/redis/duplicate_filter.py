"""Duplicate filter: the events that were applied in the last hour or two, one Redis set per hour.

A hint only: events are marked after their transaction, so a hit is a duplicate; a miss proves nothing.
"""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Final, cast

from redis.asyncio import Redis

from domain.ports.core import Clock
from storage.redis.breaker import RedisBreaker

_HOUR_S: Final = 3600
LIFETIME_S: Final = 2 * _HOUR_S


class RedisDuplicateFilter:
    """`DuplicateFilter` on Redis: one set per partition and hour; reads the current and the previous one."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._breaker = RedisBreaker("duplicate_filter")

    async def seen(self, members: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[bool]]:
        """See `DuplicateFilter.seen`."""
        nothing_seen = {partition: [False] * len(each) for partition, each in members.items()}
        asked = [partition for partition, each in members.items() if each]
        if not asked:
            return nothing_seen

        async def ask() -> Mapping[str, Sequence[bool]]:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for partition in asked:
                    for hours_ago in (0, 1):
                        pipeline.smismember(self._key(partition, hours_ago), list(members[partition]))
                found = iter(await pipeline.execute())
            return nothing_seen | {
                partition: [bool(now or before) for now, before in zip(next(found), next(found), strict=True)]
                for partition in asked
            }

        return await self._breaker.run(ask, otherwise=nothing_seen)

    async def mark(self, members: Mapping[str, Sequence[str]]) -> None:
        """See `DuplicateFilter.mark`."""
        if not any(members.values()):
            return

        async def remember() -> None:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for partition, each in members.items():
                    if each:
                        key = self._key(partition, 0)
                        pipeline.sadd(key, *each)
                        pipeline.expire(key, LIFETIME_S)
                await cast("Awaitable[object]", pipeline.execute())

        await self._breaker.run(remember, otherwise=None)

    def _key(self, partition: str, hours_ago: int) -> str:
        hour = int(self._clock.now().timestamp()) // _HOUR_S - hours_ago
        return f"dedup:{partition}:{hour}"
