"""Concurrent lists are limited per user, so that others do not wait."""

import asyncio

import pytest

from domain.ports.queries import Page, ShipmentFilter, Window
from httpkit.listing.list_turns import AT_ONCE, WAITING, ListSlots
from httpkit.response.errors import ApiError
from tests.unit.query_api.conftest import CLIENT, Api, World


async def test_slots_are_bounded_per_user() -> None:
    shares, inside, clear_halt = ListSlots(), list[str](), asyncio.Event()

    async def read(user: str) -> None:
        async with shares.turn(user):
            inside.append(user)
            await clear_halt.wait()

    reading = [asyncio.create_task(read("ana")) for _ in range(AT_ONCE + WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(ApiError) as refused:
        await read("ana")
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "1"})
    other = asyncio.create_task(read("luis"))
    await asyncio.sleep(0)
    assert inside == ["ana"] * AT_ONCE + ["luis"]
    clear_halt.set()
    await asyncio.gather(other, *reading)
    await read("ana")


@pytest.mark.parametrize("path", ["/shipments", "/shipments?status=created"])
async def test_list_takes_a_slot_of_its_user(
    path: str, api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = most = 0

    async def slow_page(_matching: ShipmentFilter, _window: Window) -> Page:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return Page(data=[], total=0)

    monkeypatch.setattr(world.shipments, "page", slow_page)
    responses = await asyncio.gather(*(api.get(path) for _ in range(3 * AT_ONCE)))
    assert ({response.status for response in responses}, most) == ({200}, AT_ONCE)
    assert (await api.get(path, CLIENT)).status == 200
