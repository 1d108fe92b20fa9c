"""One caller's load must not be felt by the others."""

import asyncio
import io
import json
import statistics
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import cycle

import pytest

from domain.shipments.tracking_number import derive_tracking_number
from tests.e2e.tokens import signed
from tests.e2e.traffic import event_body
from tests.support.api import Api, eventually
from tests.support.stack import StackAddresses

pytestmark = pytest.mark.stack

LARGEST = 2 * 1024 * 1024
CONNECTIONS = 6
CALLS = 40
NEAR_S = 0.3
"""Bound of the growth of a bystander's median latency; it was 5 s once, and alone it is 8 ms."""


def faulty() -> list[bytes]:
    """Return bodies with as many errors as fit into the largest one."""

    def filled(pattern: bytes) -> bytes:
        return b'{"events":[' + (pattern * (LARGEST // len(pattern)))[: LARGEST - 100].rstrip(b",") + b"]}"

    names = b",".join(b'"a%d":0' % index for index in range(LARGEST // 12))
    events = json.dumps({"events": [{"notes": "x" * 1500, "status": 7}] * 1000}).encode()
    return [filled(b"{},"), filled(b'{"a":{}},'), b'{"events":[{' + names + b"}]}", events]


async def send_for_ever(caller: Api, bodies: Iterator[bytes], statuses: Counter[int]) -> None:
    headers = {"Content-Type": "application/json", "Prefer": "handling=lenient"}
    while True:
        response = await caller.ask("POST", "/events/batch", data=io.BytesIO(next(bodies)), headers=headers)
        statuses[response.status] += 1


@asynccontextmanager
async def attack(caller: Api) -> AsyncIterator[Counter[int]]:
    """Send faulty bodies over several connections while the context lasts; it begins when all are busy."""
    statuses, bodies = Counter[int](), faulty()

    async def at_it() -> bool | None:
        for task in sending:
            if task.done():
                task.result()
        return True if statuses.total() >= CONNECTIONS else None

    sending = [
        asyncio.create_task(send_for_ever(caller, cycle(bodies[index % 4 :] + bodies), statuses))
        for index in range(CONNECTIONS)
    ]
    try:
        await eventually(at_it, within_s=20)
        yield statuses
    finally:
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)


async def middle_s(caller: Api) -> float:
    """Return the median latency of a bystander's requests."""
    number = derive_tracking_number("bystander", uuid.uuid4().hex, 0)
    taken = []
    for index in range(CALLS):
        started = time.perf_counter()
        response = await caller.post("/events", event_body(number, "picked_up", source=f"scanner-{index}"))
        taken.append(time.perf_counter() - started)
        assert response.status == 202
    return statistics.median(taken)


async def test_faulty_bodies_of_one_user_are_not_felt_by_another(
    nobody: Api, stack: StackAddresses, driver: Api
) -> None:
    attacker = nobody.by(signed(stack.jwt_secret, sub="attacker", role="producer"))
    alone = await middle_s(driver)
    async with attack(attacker) as statuses:
        under_attack = await middle_s(driver)
    assert set(statuses) <= {400, 429}
    assert statuses[400] >= CONNECTIONS
    assert under_attack < alone + NEAR_S, (
        f"{alone * 1000:.0f} ms alone, {under_attack * 1000:.0f} ms beside the attack"
    )
