"""Failed logins, counted in Redis over all replicas, and in the process alone while Redis is away.

Three counters see each failure. The counter of user and address locks first and stops a simple guesser. The
counter of the address, over all its users, stops one password tried on many users. The counter of the user,
over all addresses, stops a guesser with many machines; as it could lock the user out too, it takes a hundred
failures, and it spares addresses from which the user has logged in before.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from domain.access.lockout import LockPolicies, LockPolicy, lock_s
from storage.redis.breaker import RedisBreaker
from storage.redis.connection import RedisClient

KNOWN_FOR_S: Final = 30 * 86_400
REMEMBERED_COUNTERS: Final = 30_000

# `domain.access.lockout.lock_s`, counted and locked in one step.
_FAIL: Final = """
local failures = redis.call('INCR', KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
local beyond = failures - tonumber(ARGV[1])
if beyond >= 0 then
  local lock = math.min(tonumber(ARGV[3]), tonumber(ARGV[2]) * 2 ^ math.min(beyond, 64))
  redis.call('SET', KEYS[2], '1', 'PX', string.format('%.0f', lock))
end
"""


@dataclass(frozen=True, slots=True)
class _Names:
    """Keys of the counters. They hold digests: people sometimes type a password as the user name."""

    pair: str
    user: str
    address: str
    known: str

    @classmethod
    def of(cls, username: str, address: str) -> "_Names":
        user, place = name_digest(username), name_digest(address)
        return cls(
            f"login:pair:{user}:{place}",
            f"login:user:{user}",
            f"login:address:{place}",
            f"login:known:{user}:{place}",
        )

    def counters(self, policies: LockPolicies) -> Sequence[tuple[str, LockPolicy]]:
        return (self.pair, policies.pair), (self.user, policies.user), (self.address, policies.address)


class LocalLoginGuard:
    """`LoginGuard` in this process alone."""

    def __init__(
        self,
        policies: LockPolicies,
        *,
        clock: Callable[[], float] = time.monotonic,
        remembered: int = REMEMBERED_COUNTERS,
    ) -> None:
        self._policies = policies
        self._clock = clock
        self._remembered = remembered
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._known: OrderedDict[str, float] = OrderedDict()

    async def wait_s(self, username: str, address: str) -> float:
        """See `LoginGuard.wait_s`."""
        names = _Names.of(username, address)
        is_known = await self.knows(username, address)
        counters = names.counters(self._policies)
        return max(self._lock_left(*each) for each in counters if not (is_known and each[0] == names.user))

    async def knows(self, username: str, address: str) -> bool:
        """See `LoginGuard.knows`."""
        return self._known.get(_Names.of(username, address).known, 0.0) > self._clock()

    async def failed(self, username: str, address: str) -> None:
        """See `LoginGuard.failed`."""
        now = self._clock()
        for name, policy in _Names.of(username, address).counters(self._policies):
            failures, last = self._failures.get(name, (0, now))
            self._failures[name] = (failures + 1 if now - last < policy.memory_s else 1), now
            self._failures.move_to_end(name)
        while len(self._failures) > self._remembered:
            self._failures.popitem(last=False)

    async def succeeded(self, username: str, address: str) -> None:
        """See `LoginGuard.succeeded`."""
        names = _Names.of(username, address)
        self._failures.pop(names.pair, None)
        self._known[names.known] = self._clock() + KNOWN_FOR_S
        if len(self._known) > self._remembered:
            self._known.popitem(last=False)

    def _lock_left(self, name: str, policy: LockPolicy) -> float:
        failures, last = self._failures.get(name, (0, 0.0))
        return max(0.0, last + lock_s(policy, failures) - self._clock())


class RedisLoginGuard:
    """`LoginGuard` on Redis; counts in this process while Redis is away."""

    def __init__(self, redis: RedisClient, policies: LockPolicies) -> None:
        self._redis = redis
        self._policies = policies
        self._fail = redis.register_script(_FAIL)
        self._breaker = RedisBreaker("login_guard")
        self._local = LocalLoginGuard(policies)

    async def wait_s(self, username: str, address: str) -> float:
        """See `LoginGuard.wait_s`."""
        names = _Names.of(username, address)

        async def ask() -> float | None:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for name in (names.pair, names.user, names.address):
                    pipeline.pttl(_lock(name))
                pipeline.exists(names.known)
                pair, user, place, is_known = await pipeline.execute()
            return float(max(0, pair, place, 0 if is_known else user)) / 1000

        here = await self._local.wait_s(username, address)
        there = await self._breaker.run(ask, otherwise=None)
        return max(here, there or 0.0)

    async def knows(self, username: str, address: str) -> bool:
        """See `LoginGuard.knows`."""

        async def ask() -> bool:
            return bool(await self._redis.exists(_Names.of(username, address).known))

        return await self._local.knows(username, address) or await self._breaker.run(ask, otherwise=False)

    async def failed(self, username: str, address: str) -> None:
        """See `LoginGuard.failed`."""
        counters = _Names.of(username, address).counters(self._policies)

        async def count() -> bool:
            for name, policy in counters:
                times = (policy.first_s, policy.longest_s, policy.memory_s)
                args = [policy.free, *(int(seconds * 1000) for seconds in times)]
                await self._fail(keys=[name, _lock(name)], args=args)
            return True

        if not await self._breaker.run(count, otherwise=False):
            await self._local.failed(username, address)

    async def succeeded(self, username: str, address: str) -> None:
        """See `LoginGuard.succeeded`."""
        names = _Names.of(username, address)

        async def forget() -> None:
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.delete(names.pair)
                pipeline.delete(_lock(names.pair))
                pipeline.set(names.known, b"1", ex=KNOWN_FOR_S)
                await pipeline.execute()

        await self._local.succeeded(username, address)
        await self._breaker.run(forget, otherwise=None)


def _lock(name: str) -> str:
    """Return the key of a counter's lock, in the same slot of a cluster as the counter."""
    return f"{{{name}}}:lock"


def name_digest(text: str) -> str:
    """Return the digest of a typed user name for keys and logs; the same as `b2sum -l 96`."""
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
