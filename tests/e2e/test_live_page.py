"""A tracking page in a browser, whose replica is killed."""

import signal
from collections.abc import Sequence

import aiohttp
import pytest
from playwright.async_api import expect

from domain.shipments.status import Status
from tests.e2e.traffic import event_body, shipment_body
from tests.support.api import Api, eventually
from tests.support.browser.chromium import open_browser
from tests.support.stack import RunningStack

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(120)]

NEXT_STATUS_WITHIN_MS = 5_000


async def test_open_page_shows_the_next_status_after_its_replica_was_killed(
    own_stack: RunningStack, admin: Api, driver: Api
) -> None:
    number = await admin.created(shipment_body("client_001"))
    before = await _open_streams(own_stack)
    assert len(before) > 1, "another replica takes over"

    async def followed_by() -> int | None:
        counts = await _open_streams(own_stack)
        return next((index for index, count in enumerate(counts) if count > before[index]), None)

    async with open_browser() as browser:
        page = await browser.new_page(locale="en-US")
        await page.goto(f"{own_stack.gateway_url}/track/{number}")
        heading = page.get_by_role("heading", level=1)
        await expect(heading).to_have_text("Created")
        await page.evaluate("window.sameDocument = true")
        index = await eventually(followed_by)

        killed = own_stack.signal("portal", signal.SIGKILL, index=index)
        await driver.reported(event_body(number, Status.PICKED_UP))

        await expect(heading).to_have_text("Picked up", timeout=NEXT_STATUS_WITHIN_MS)
        assert await page.evaluate("window.sameDocument")
    own_stack.wait_replaced("portal", killed, index=index)


async def _open_streams(stack: RunningStack) -> Sequence[int]:
    """Return how many streams each replica of the portal has."""
    async with aiohttp.ClientSession() as http:
        return [await _count(http, member.port) for member in stack.members()["portal"]]


async def _count(http: aiohttp.ClientSession, port: int) -> int:
    async with http.get(f"http://127.0.0.1:{port}/metrics") as response:
        lines = (await response.text()).splitlines()
    return next(int(float(line.split()[1])) for line in lines if line.startswith("waybill_streams_open "))
