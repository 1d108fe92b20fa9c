"""Circuit breaker of Redis: callers always continue, and a failing Redis is not asked for a while."""

import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from storage.redis import breaker
from storage.redis.breaker import FAILURES_TO_OPEN, RedisBreaker
from tests.support.waiting import wait_for


class Command:
    """Command that fails a given number of times."""

    def __init__(self, *, failures: int = 0, error: Exception | None = None) -> None:
        self.calls = 0
        self._failures = failures
        self._error = error or RedisConnectionError("refused")

    async def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self._failures:
            raise self._error
        return "result"


async def test_an_answer_is_passed_on() -> None:
    assert await RedisBreaker("test").run(Command(), otherwise="nothing") == "result"


@pytest.mark.parametrize(
    "error", [RedisError("x"), ResponseError("OOM"), ConnectionResetError(), TimeoutError()]
)
async def test_a_failure_is_no_answer_and_no_error(error: Exception) -> None:
    assert await RedisBreaker("test").run(Command(failures=1, error=error), otherwise="nothing") == "nothing"


async def test_what_is_our_own_mistake_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        await RedisBreaker("test").run(Command(failures=1, error=KeyError("bug")), otherwise="nothing")


async def test_cancellation_passes() -> None:
    async def hang() -> str:
        await asyncio.Event().wait()
        return "never"

    task = asyncio.create_task(RedisBreaker("test").run(hang, otherwise="nothing"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_after_a_few_failures_nobody_is_asked() -> None:
    guard, command = RedisBreaker("test"), Command(failures=1000)
    for _ in range(FAILURES_TO_OPEN + 20):
        assert await guard.run(command, otherwise="nothing") == "nothing"
    assert command.calls == FAILURES_TO_OPEN


async def test_single_failures_do_not_add_up() -> None:
    guard = RedisBreaker("test")
    for _ in range(3 * FAILURES_TO_OPEN):
        assert await guard.run(Command(failures=1), otherwise="nothing") == "nothing"
        assert await guard.run(Command(), otherwise="nothing") == "result"


async def test_after_a_while_it_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker, "RETRY_AFTER_S", 0.05)
    guard, command = RedisBreaker("test"), Command(failures=FAILURES_TO_OPEN + 1)
    for _ in range(FAILURES_TO_OPEN):
        await guard.run(command, otherwise="nothing")

    async def responds() -> bool:
        return await guard.run(command, otherwise="nothing") == "result"

    await wait_for(responds)
    assert command.calls == FAILURES_TO_OPEN + 2, "one more try failed, and shut it again"


async def test_breakers_do_not_share_their_failures() -> None:
    one, other = RedisBreaker("test"), RedisBreaker("test")
    for _ in range(FAILURES_TO_OPEN):
        await one.run(Command(failures=1), otherwise="nothing")
    assert await other.run(Command(), otherwise="nothing") == "result"
