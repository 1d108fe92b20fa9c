"""Background tasks end with their context, even if they swallow a cancellation."""

import asyncio

import pytest

from servicekit import background_tasks
from servicekit.background_tasks import in_background


async def test_work_runs_while_the_context_lasts() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    async with in_background(tick(), name="ticking"):
        await asyncio.sleep(0.01)
    seen = ticks
    await asyncio.sleep(0.01)
    assert ticks == seen > 0


async def test_swallowed_cancellation_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_tasks, "CANCEL_AGAIN_S", 0.01)
    swallowed = 0

    async def deaf() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed > 2:
                    raise

    async with asyncio.timeout(5), in_background(deaf(), name="deaf"):
        await asyncio.sleep(0)
    assert swallowed == 3


async def test_error_of_the_task_is_raised_at_the_end() -> None:
    async def broken() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        async with in_background(broken(), name="broken"):
            await asyncio.sleep(0)
