"""Circuit breaker that keeps an unresponsive Redis from slowing down callers that work without it."""

import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from weakref import WeakSet

import structlog
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from storage.redis.connection import UNAVAILABLE

Result = TypeVar("Result")

FAILURES_TO_OPEN: Final = 3
RETRY_AFTER_S: Final = 2.0
REMEMBERED_S: Final = 60.0

_log = structlog.get_logger(__name__)


class RedisBreaker:
    """Runs commands of Redis and returns a default if they fail, so that the caller can always continue.

    After `FAILURES_TO_OPEN` failures in a row no command is sent for `RETRY_AFTER_S` seconds.

    Attributes:
        name: of the component that uses Redis; a metric label.
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
        """True if the last command failed or was not sent, unless that was over a minute ago."""
        return self._failed_at_s is not None and time.monotonic() - self._failed_at_s < REMEMBERED_S

    async def run(self, command: Callable[[], Awaitable[Result]], otherwise: Result) -> Result:
        """Return the result of `command`, or `otherwise` if Redis fails or the breaker is open."""
        breaker = await self._factory.get_breaker(self.name)
        try:
            async with breaker:
                result = await command()
        except OpenedState:
            self._failed_at_s = time.monotonic()
            return otherwise
        except UNAVAILABLE as error:
            self._failed_at_s = time.monotonic()
            _log.warning("redis_unavailable", user=self.name, error=str(error) or type(error).__name__)
            return otherwise
        self._failed_at_s = None
        return result


def breakers() -> list[RedisBreaker]:
    """Return the breakers of this process, by name."""
    return sorted(_BREAKERS, key=lambda breaker: breaker.name)


_BREAKERS: Final[WeakSet[RedisBreaker]] = WeakSet()
