"""Fair queue of password hashing."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from storage.mongo.accounts.hashing_turns import AddressCrowded, NoTurn, Turns


class OnePlace:
    """Queue with one place that records the order of service."""

    def __init__(self, **bounds: int) -> None:
        self._turns = Turns(1, **bounds)
        self._may_end = asyncio.Event()
        self.served: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, address: str | None) -> None:
        self.tasks[name] = asyncio.create_task(self._come(name, address))
        await asyncio.sleep(0)

    async def _come(self, name: str, address: str | None) -> None:
        async with self._turns.turn(address):
            self.served.append(name)
            await self._may_end.wait()

    async def serve_all(self) -> Sequence[BaseException | None]:
        self._may_end.set()
        return await asyncio.gather(*self.tasks.values(), return_exceptions=True)


async def test_addresses_take_turns_and_a_known_one_waits_for_one_at_most() -> None:
    queue = OnePlace()
    for name in ("a1", "a2", "a3", "a4"):
        await queue.come(name, "a")
    await queue.come("b1", "b")
    await queue.come("k1", None)
    await queue.come("c1", "c")
    assert await queue.serve_all() == [None] * 7
    assert queue.served == ["a1", "k1", "a2", "b1", "c1", "a3", "a4"]


async def test_strangers_have_every_other_turn_when_known_ones_wait() -> None:
    queue = OnePlace()
    await queue.come("now", "x")
    for name in ("k1", "k2", "k3", "k4"):
        await queue.come(name, None)
    for name in ("a1", "a2"):
        await queue.come(name, "a")
    assert await queue.serve_all() == [None] * 7
    assert queue.served == ["now", "k1", "a1", "k2", "a2", "k3", "k4"]


async def test_an_address_has_only_so_many_places() -> None:
    queue = OnePlace(max_per_address=2)
    for index in range(5):
        await queue.come(f"a{index}", "a")
    await queue.come("b", "b")
    results = await queue.serve_all()
    assert [type(result) for result in results] == [
        *([type(None)] * 3),
        AddressCrowded,
        AddressCrowded,
        type(None),
    ]


async def test_when_all_places_are_taken_who_has_most_gives_way() -> None:
    queue = OnePlace(max_waiting=4)
    await queue.come("now", "x")
    for name, address in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("c1", "c"), ("d1", "d")):
        await queue.come(name, address)
    await queue.come("a4", "a")
    results = dict(zip(queue.tasks, await queue.serve_all(), strict=True))
    assert {name for name, result in results.items() if isinstance(result, NoTurn)} == {"a3", "a2", "a4"}
    assert Counter(queue.served) == Counter(["now", "a1", "b1", "c1", "d1"])


async def test_known_ones_are_bounded_too_and_do_not_wait_for_strangers() -> None:
    queue = OnePlace(max_waiting=1)
    await queue.come("now", "a")
    await queue.come("a", "a")
    await queue.come("k1", None)
    await queue.come("k2", None)
    results = dict(zip(queue.tasks, await queue.serve_all(), strict=True))
    assert isinstance(results.pop("k2"), NoTurn)
    assert set(results.values()) == {None}


@pytest.mark.parametrize("address", [None, "b"])
async def test_who_leaves_the_queue_is_passed_over(address: str | None) -> None:
    queue = OnePlace()
    for name, place in (("now", "a"), ("gone", address), ("next", "c")):
        await queue.come(name, place)
    queue.tasks["gone"].cancel()
    await queue.serve_all()
    assert queue.served == ["now", "next"]
    async with asyncio.timeout(1):
        await queue.come("later", "b")
        await queue.tasks["later"]


async def test_a_place_that_its_owner_never_takes_is_passed_on() -> None:
    turns = Turns(1)
    async with turns.turn("a"):
        leaving = asyncio.create_task(turns.turn("b").__aenter__())
        await asyncio.sleep(0)
    leaving.cancel()  # after it was let in, and before it runs
    await asyncio.gather(leaving, return_exceptions=True)
    async with asyncio.timeout(1), turns.turn("c"):
        pass
