"""Duplicate filter: the events that were applied in the last hour or two, one Redis set per hour.

A hint only: events are marked after their transaction, so a hit is a duplicate; a miss proves nothing.
"""

from collections.abc import Awaitable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Final, cast

from redis.asyncio import RedisCluster

from domain.ports.core import Clock
from storage.redis.breaker import RedisBreaker
from storage.redis.connection import RedisClient

_HOUR_S: Final = 3600
LIFETIME_S: Final = 2 * _HOUR_S

# A script, not a pipeline: for twelve partitions that is 24 commands, and takes three times as long.
# Its arguments are the number of a partition's members, then these, for one partition after the other: up to
# 8,000 of each, which is what `unpack` takes.
_SEEN: Final = """
local found, at = {}, 1
for key = 1, #KEYS, 2 do
  local first, last = at + 1, at + ARGV[at]
  local now = redis.call('SMISMEMBER', KEYS[key], unpack(ARGV, first, last))
  local before = redis.call('SMISMEMBER', KEYS[key + 1], unpack(ARGV, first, last))
  for member = 1, #now do
    found[#found + 1] = now[member] + before[member]
  end
  at = last + 1
end
return found
"""


class RedisDuplicateFilter:
    """`DuplicateFilter` on Redis: one set per partition and hour; reads the current and the previous one."""

    def __init__(self, redis: RedisClient, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._breaker = RedisBreaker("duplicate_filter")
        self._seen = redis.register_script(_SEEN)

    async def seen(self, members: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[bool]]:
        """See `DuplicateFilter.seen`."""
        nothing_seen = {partition: [False] * len(each) for partition, each in members.items()}
        asked = [partition for partition, each in members.items() if each]
        if not asked:
            return nothing_seen

        async def ask() -> Mapping[str, Sequence[bool]]:
            found = iter(await self._hits({partition: members[partition] for partition in asked}))
            return nothing_seen | {
                partition: [bool(hits) for hits in islice(found, len(members[partition]))]
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

    async def _hits(self, members: Mapping[str, Sequence[str]]) -> Sequence[int]:
        """Return in how many sets each member is, of one partition after the other."""
        keys = [self._key(partition, hours_ago) for partition in members for hours_ago in (0, 1)]
        if not isinstance(self._redis, RedisCluster):
            found: Sequence[int] = await self._seen(keys=keys, args=list(_counted(members)))
            return found
        # A script takes the keys of one slot only; and none while they move to another node.
        async with self._redis.pipeline() as pipeline:
            for key, each in zip(
                keys, chain.from_iterable((each, each) for each in members.values()), strict=True
            ):
                pipeline.smismember(key, list(each))
            now_and_before = iter(await pipeline.execute())
        return [
            now + before
            for hits in zip(now_and_before, now_and_before, strict=True)
            for now, before in zip(*hits, strict=True)
        ]

    def _key(self, partition: str, hours_ago: int) -> str:
        hour = int(self._clock.now().timestamp()) // _HOUR_S - hours_ago
        return f"dedup:{partition}:{hour}"


def _counted(members: Mapping[str, Sequence[str]]) -> Iterator[str | int]:
    """Yield the members of each partition, after their number."""
    for each in members.values():
        yield len(each)
        yield from each
