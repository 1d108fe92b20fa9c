"""Keeps a Redis that does not answer from slowing down everything that merely hopes for its help."""

import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from weakref import WeakSet

import structlog
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState
from redis.exceptions import RedisError

Result = TypeVar("Result")

FAILURES_TO_OPEN: Final = 3
RETRY_AFTER_S: Final = 2.0
REMEMBERED_S: Final = 60.0

_log = structlog.get_logger(__name__)


class RedisBreaker:
    """Runs commands of a Redis that may be gone: the caller always goes on, without the hint.

    After `FAILURES_TO_OPEN` failures in a row it does not even ask any more, for `RETRY_AFTER_S` seconds.

    Attributes:
        name: of what it guards.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._failed_at_s: float | None = None
        _BREAKERS.add(self)
        self._factory = AsyncCircuitBreakerFactory(
            default_threshold=FAILURES_TO_OPEN, default_ttl=RETRY_AFTER_S
        )

    @property
    def failing(self) -> bool:
        """Whether the last command failed, or was not even sent; after a minute without one nobody knows."""
        return self._failed_at_s is not None and time.monotonic() - self._failed_at_s < REMEMBERED_S

    async def run(self, command: Callable[[], Awaitable[Result]], otherwise: Result) -> Result:
        """Return what `command` gives; `otherwise` when Redis fails or is left alone."""
        breaker = await self._factory.get_breaker(self.name)
        try:
            async with breaker:
                result = await command()
        except OpenedState:
            self._failed_at_s = time.monotonic()
            return otherwise
        except (RedisError, OSError, TimeoutError) as error:
            self._failed_at_s = time.monotonic()
            _log.warning("redis_unavailable", user=self.name, error=str(error) or type(error).__name__)
            return otherwise
        self._failed_at_s = None
        return result


def breakers() -> list[RedisBreaker]:
    """Return those of this process."""
    return sorted(_BREAKERS, key=lambda breaker: breaker.name)


_BREAKERS: Final[WeakSet[RedisBreaker]] = WeakSet()
