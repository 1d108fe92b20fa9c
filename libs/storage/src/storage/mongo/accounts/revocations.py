"""Revocations: stored in MongoDB until they expire, published to all replicas through Redis."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from pymongo.asynchronous.client_session import AsyncClientSession
from redis.exceptions import ReadOnlyError

from domain.ports.core import Clock, Revocation
from domain.ports.revocations import RevocationNews
from storage.mongo.database import Database
from storage.mongo.errors import translated
from storage.mongo.schema import REVOKED_TOKENS
from storage.redis.breaker import RedisBreaker
from storage.redis.connection import RedisClient, disconnect

FEED_KEY: Final = "revocations"
PROBE_KEY: Final = "{revocations}:probe"  # in a cluster: at the node that has the set
WHOLE_MARK: Final = "whole"
GENERATION_MARK: Final = "telling"
OVERLAP_S: Final = 60.0
"""Maximum difference of clocks, and maximum delay of the publication of a revocation."""

_PROBE_LIFETIME_S: Final = 60
_FIRST_GENERATION: Final = 10**15  # beyond any time in milliseconds: old members are removed by score

# In one step: a server that is replaced in between by a replica that lacks the first part must not be marked.
# Without a new generation the mark is moved only if it is there: a set that was lost meanwhile is incomplete.
_PUBLISH: Final = f"""
for at = 4, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], ARGV[at], ARGV[at + 1])
end
if ARGV[3] ~= '' then
  redis.call('ZADD', KEYS[1], ARGV[2], '{WHOLE_MARK}', ARGV[3], '{GENERATION_MARK}')
elseif ARGV[2] ~= '' then
  redis.call('ZADD', KEYS[1], 'XX', ARGV[2], '{WHOLE_MARK}')
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, ARGV[1])
"""

_log = structlog.get_logger(__name__)


class MongoRevocationStore:
    """`RevocationStore` on MongoDB; a TTL index deletes expired revocations."""

    def __init__(self, database: Database) -> None:
        self._revoked = database[REVOKED_TOKENS]

    async def add(self, revocation: Revocation) -> None:
        """See `RevocationStore.add`."""
        with translated():
            await self.record(revocation)

    async def since(self, instant: datetime | None) -> list[Revocation]:
        """See `RevocationStore.since`."""
        matching = {} if instant is None else {"recorded_at": {"$gte": instant}}
        with translated():
            found = await self._revoked.find(matching).to_list()
        return [_revocation_of(document) for document in found]

    async def record(self, revocation: Revocation, *, session: AsyncClientSession | None = None) -> None:
        """Record a revocation, optionally in a transaction; raises the driver's errors."""
        document = {
            "issued_until": revocation.issued_until,
            "recorded_at": revocation.recorded_at,
            "expires_at": revocation.expires_at,
        }
        await self._revoked.replace_one({"_id": revocation.name}, document, upsert=True, session=session)


class RedisRevocationFeed:
    """`RevocationFeed` on Redis: one set ordered by the time of recording, with two marks among its members.

    One mark has the time until which the set is complete, the other a random number that changes each time
    the whole set is published again. They are members, so they vanish together with the set. A replica reads
    the set once, and then only its end; all of it again when the number has changed.
    """

    def __init__(self, redis: RedisClient, clock: Clock, *, retention_s: float) -> None:
        self._redis = redis
        self._clock = clock
        self._retention_s = retention_s
        self._breaker = RedisBreaker("revocations")
        self._publish = redis.register_script(_PUBLISH)
        self._generation: float | None = None
        self._read_until_ms = 0

    async def is_whole(self, *, since: datetime | None = None) -> bool | None:
        """See `RevocationFeed.is_whole`; clocks may differ by `OVERLAP_S`."""
        least_ms = 0 if since is None else _ms(since - timedelta(seconds=OVERLAP_S))

        async def ask() -> bool | None:
            whole_ms = await self._redis.zscore(FEED_KEY, WHOLE_MARK)
            return whole_ms is not None and whole_ms >= least_ms

        return await self._breaker.run(ask, otherwise=None)

    async def publish(
        self, revocations: Sequence[Revocation], *, as_of: datetime | None = None, whole: bool = False
    ) -> bool:
        """See `RevocationFeed.publish`."""
        now = self._clock.now()
        too_old_ms = _ms(now - timedelta(seconds=self._retention_s))

        whole_ms = "" if as_of is None and not whole else _ms(as_of or now)
        generation = _FIRST_GENERATION + secrets.randbelow(_FIRST_GENERATION) if whole else ""
        added = [value for each in revocations for value in (_ms(each.recorded_at), _member_of(each))]

        async def add() -> bool:
            await self._publish(keys=[FEED_KEY], args=[too_old_ms, whole_ms, generation, *added])
            return True

        return await self._breaker.run(add, otherwise=False)

    async def news(self) -> RevocationNews:
        """See `RevocationFeed.news`. A small write shows whether others can add."""
        since_ms = max(0, self._read_until_ms - int(OVERLAP_S * 1000))

        async def ask() -> RevocationNews | None:
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.set(PROBE_KEY, b"1", ex=_PROBE_LIFETIME_S)
                pipeline.zscore(FEED_KEY, WHOLE_MARK)
                pipeline.zrangebyscore(FEED_KEY, since_ms, "+inf", withscores=True)
                written, whole_ms, rows = await pipeline.execute(raise_on_error=False)
            for result in (whole_ms, rows):
                if isinstance(result, Exception):
                    raise result
            if isinstance(
                written, ReadOnlyError
            ):  # a former primary: a new connection finds the new one through DNS
                await disconnect(self._redis)
            generation = next((score for member, score in rows if member == GENERATION_MARK.encode()), None)
            if generation != self._generation and since_ms > 0:
                rows = await self._redis.zrangebyscore(FEED_KEY, 0, "+inf", withscores=True)
            self._generation = generation
            is_whole = whole_ms is not None and not isinstance(written, Exception)
            return RevocationNews(self._read(rows), _instant(int(whole_ms)) if is_whole else None)

        return await self._breaker.run(ask, otherwise=None) or RevocationNews()

    def _read(self, rows: Sequence[tuple[bytes, float]]) -> list[Revocation]:
        marks = (WHOLE_MARK.encode(), GENERATION_MARK.encode())
        published = [(member, score) for member, score in rows if member not in marks]
        self._read_until_ms = max([self._read_until_ms, *(int(score) for _, score in published)])
        return [each for each in (_revocation_from(*row) for row in published) if each is not None]


def _member_of(revocation: Revocation) -> str:
    return f"{revocation.name}|{_ms(revocation.issued_until)}|{_ms(revocation.expires_at)}"


def _revocation_from(member: bytes, score: float) -> Revocation | None:
    try:
        name, issued_until, expires_at = member.decode().rsplit("|", 2)
        return Revocation(
            name=name,
            issued_until=_instant(int(issued_until)),
            recorded_at=_instant(int(score)),
            expires_at=_instant(int(expires_at)),
        )
    except ValueError as error:  # of another version, say: MongoDB has it too; continue with the next one
        _log.warning("revocation_unreadable", error=str(error))
        return None


def _revocation_of(document: dict[str, Any]) -> Revocation:
    return Revocation(
        name=document["_id"],
        issued_until=document["issued_until"],
        recorded_at=document["recorded_at"],
        expires_at=document["expires_at"],
    )


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)
