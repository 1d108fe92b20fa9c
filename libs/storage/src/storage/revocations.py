"""Revocations: kept in MongoDB until they have done their work, told to all replicas through Redis."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import structlog
from pymongo.asynchronous.client_session import AsyncClientSession
from redis.asyncio import Redis

from domain.ports import Clock, Revocation
from storage.breaker import RedisBreaker
from storage.client import Database
from storage.errors import translated
from storage.schema import REVOKED_TOKENS

FEED_KEY: Final = "revocations"
WHOLE_KEY: Final = "revocations:whole"
OVERLAP_S: Final = 60.0
"""By so much clocks may differ, and by so much a revocation may be told late."""

_log = structlog.get_logger(__name__)


class MongoRevocationStore:
    """`RevocationStore` on MongoDB; a TTL index forgets what has expired."""

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
        """Record a revocation, in a transaction perhaps; raises what the driver raises."""
        document = {
            "issued_until": revocation.issued_until,
            "recorded_at": revocation.recorded_at,
            "expires_at": revocation.expires_at,
        }
        await self._revoked.replace_one({"_id": revocation.name}, document, upsert=True, session=session)


class RedisRevocationFeed:
    """`RevocationFeed` on Redis: a set ordered by the time of recording, and a mark that it is whole.

    A replica reads all of it once, and then only its end. When the mark is another than before, Redis has
    forgotten the set and was told anew: all of it is read again.
    """

    def __init__(self, redis: Redis, clock: Clock, *, keep_s: float) -> None:
        self._redis = redis
        self._clock = clock
        self._keep_s = keep_s
        self._breaker = RedisBreaker("revocations")
        self._mark: bytes | None = None
        self._read_until_ms = 0

    async def is_whole(self) -> bool | None:
        """See `RevocationFeed.is_whole`."""

        async def ask() -> bool | None:
            return bool(await self._redis.exists(WHOLE_KEY))

        return await self._breaker.run(ask, otherwise=None)

    async def publish(self, revocations: Sequence[Revocation], *, whole: bool = False) -> bool:
        """See `RevocationFeed.publish`."""
        too_old_ms = _ms(self._clock.now() - timedelta(seconds=self._keep_s))

        async def tell() -> bool:
            async with self._redis.pipeline(transaction=True) as pipeline:
                if revocations:
                    pipeline.zadd(FEED_KEY, {_member_of(each): _ms(each.recorded_at) for each in revocations})
                pipeline.zremrangebyscore(FEED_KEY, 0, too_old_ms)
                if whole:
                    pipeline.set(WHOLE_KEY, secrets.token_hex(8), nx=True)
                await pipeline.execute()
            return True

        return await self._breaker.run(tell, otherwise=False)

    async def news(self) -> Sequence[Revocation]:
        """See `RevocationFeed.news`."""
        since_ms = self._read_until_ms - int(OVERLAP_S * 1000)

        async def ask() -> tuple[bytes | None, list[tuple[bytes, float]]] | None:
            mark = await self._redis.get(WHOLE_KEY)
            least = since_ms if mark is not None and mark == self._mark else 0
            found = await self._redis.zrangebyscore(FEED_KEY, least, "+inf", withscores=True)
            return cast("bytes | None", mark), cast("list[tuple[bytes, float]]", found)

        answer = await self._breaker.run(ask, otherwise=None)
        if answer is None:
            return ()
        self._mark, rows = answer
        self._read_until_ms = max([self._read_until_ms, *(int(score) for _, score in rows)])
        return [each for each in (_revocation_from(*row) for row in rows) if each is not None]


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
    except ValueError as error:  # of another version, say: MongoDB has it too, and the next one is read
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
