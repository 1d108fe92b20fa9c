"""What anybody may see, through the gateway: one answer for what is not there, in bytes and in time."""

import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from random import randint

import aiohttp
import pytest
from yarl import URL

from domain.shipments.links import is_token
from domain.shipments.status import Status
from domain.shipments.tracking_number import derive_tracking_number
from tests.e2e.traffic import event_body, shipment_body
from tests.support.absent import DIFFERING, NOT_THERE, WRONG_CHECK_CHARACTER, without_time
from tests.support.api import Api
from tests.support.stack import StackAddresses
from tests.support.timing import rank_score

pytestmark = pytest.mark.stack

PER_ADDRESS = 50
"""Requests for nothing that an address has for sure; an address may make 60 a minute."""
SAMPLES = 120
KINDS = ("unknown", "wrong check character", "too short", "very long")


@asynccontextmanager
async def from_a_fresh_address() -> AsyncIterator[aiohttp.ClientSession]:
    """Give a client with a loopback address that nobody has used, and so with a whole budget."""
    octets = ".".join(str(randint(1, 254)) for _ in range(3))  # noqa: S311  # not for secrets
    connector = aiohttp.TCPConnector(local_addr=(f"127.{octets}", 0))
    jar = aiohttp.CookieJar(unsafe=True)  # unsafe: of an address, as that of the gateway is here
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as session:
        yield session


async def test_whatever_is_not_there_has_one_answer_through_the_gateway(stack: StackAddresses) -> None:
    for path in ("/public/shipments/", "/track/"):
        answers = defaultdict(list)
        async with from_a_fresh_address() as session:
            for kind, typed in NOT_THERE.items():
                if not typed and path == "/track/":
                    continue
                async with session.get(URL(f"{stack.gateway_url}{path}{typed}", encoded=True)) as response:
                    headers = sorted(
                        each for each in response.headers.items() if each[0].lower() not in DIFFERING
                    )
                    body = without_time(await response.text())
                    answers[response.status, body, tuple(headers)].append(kind)
        assert [len(kinds) for kinds in answers.values()] == [len(NOT_THERE) - (path == "/track/")], answers
        [(status, _, shown)] = answers
        assert status == 404
        assert ("Cache-Control", "no-store") in shown


@pytest.mark.parametrize("path", ["/public/shipments/", "/track/"])
async def test_no_kind_of_nothing_takes_longer_than_another(stack: StackAddresses, path: str) -> None:
    chance = random.Random(17)  # noqa: S311  # not for secrets
    waiting = [kind for kind in KINDS for _ in range(SAMPLES)]
    chance.shuffle(waiting)
    times: dict[str, list[float]] = defaultdict(list)
    kinds = iter(waiting)
    while batch := list(islice(kinds, PER_ADDRESS)):
        async with from_a_fresh_address() as session:
            for kind in batch:
                typed = str(derive_tracking_number("nobody", str(chance.random()), 0))
                typed = {
                    "unknown": typed,
                    "wrong check character": WRONG_CHECK_CHARACTER,
                    "too short": typed[:-1],
                    "very long": NOT_THERE["very long"],
                }[kind]
                began = time.perf_counter()
                async with session.get(f"{stack.gateway_url}{path}{typed}") as response:
                    await response.read()
                times[kind].append(time.perf_counter() - began)
                assert response.status == 404
    for kind in KINDS:
        others = [each for other in KINDS if other != kind for each in times[other]]
        assert abs(rank_score(times[kind], others)) < 4.5, kind


async def test_an_address_that_guesses_is_stopped_on_both_ways_at_once(stack: StackAddresses) -> None:
    async with from_a_fresh_address() as session:
        statuses: list[int] = []
        ways = ("/public/shipments/", "/track/")
        while len(statuses) < 200 and statuses[-5:] != [429] * 5:
            url = f"{stack.gateway_url}{ways[len(statuses) % 2]}{WRONG_CHECK_CHARACTER}"
            claimed = {"X-Forwarded-For": f"192.0.2.{len(statuses)}", "Forwarded": "for=192.0.2.1"}
            async with session.get(url, headers=claimed) as response:
                statuses.append(response.status)
        assert statuses[:59] == [404] * 59
        assert statuses[-5:] == [429] * 5
    async with (
        from_a_fresh_address() as another,
        another.get(f"{stack.gateway_url}/track/{WRONG_CHECK_CHARACTER}") as response,
    ):
        assert response.status == 404


async def test_a_link_opens_the_page_until_it_is_deleted(
    stack: StackAddresses, client: Api, driver: Api
) -> None:
    number = await client.created(shipment_body(None))
    away = {"lat": 19.4326, "lng": -99.1332, "address": "secret address"}
    seen = event_body(number, Status.PICKED_UP, source="secret source", notes="secret notes")
    await driver.outcome(await driver.reported(seen | {"location": away}))

    made = await client.post(f"/shipments/{number}/links", None)
    assert made.status == 201, made.text
    address, _, token = made.body["url"].partition("#")
    assert (address, is_token(token)) == (f"{stack.gateway_url}/track/{number}", True)

    async with from_a_fresh_address() as recipient:
        page = f"{stack.gateway_url}/track/{number}"
        assert "Ciudad de México" not in await _text(recipient, page)
        session = f"{stack.gateway_url}/track/session"
        own = {"Origin": stack.gateway_url}
        async with recipient.post(session, json={"token": token}, headers=own) as response:
            assert response.status == 204
        linked = await _text(recipient, page)
        assert "Ciudad de México" in linked
        assert [text for text in ("secret", "19.43", "-99.13", "client_001") if text in linked] == []
        assert (await client.ask("DELETE", f"/shipments/{number}/links/{made.body['id']}")).status == 204
        assert "Ciudad de México" not in await _text(recipient, page)
        async with recipient.post(session, json={"token": token}, headers=own) as response:
            assert response.status == 404


async def _text(session: aiohttp.ClientSession, url: str) -> str:
    async with session.get(url) as response:
        assert response.status == 200
        return await response.text()
