"""The README's journey, seen by the person who waits for the parcel: from creation to delivery, live."""

import re
from typing import Final

import pytest
from playwright.async_api import Browser, expect

from domain.shipments.status import Status
from tests.e2e.traffic import PATH_TO, event_body, shipment_body
from tests.support.api import Api
from tests.support.browser.visits import PHONE, settled, visitor

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

HEADINGS: Final = {
    Status.PICKED_UP: "Recolectado",
    Status.IN_WAREHOUSE: "En almacén",
    Status.IN_TRANSIT: "En tránsito",
    Status.DELIVERED: "Entregado",
}
LIVE_WITHIN_MS: Final = 5_000


async def test_a_parcel_is_followed_to_its_delivery_without_a_reload(
    browser: Browser, url: str, shipper: Api, driver: Api
) -> None:
    number = await shipper.created(shipment_body())
    link = (await shipper.post(f"/shipments/{number}/links", {})).body["url"]
    async with visitor(browser, url, language="es", viewport=PHONE) as person:
        page = await person.open(link.removeprefix(url))
        await settled(page, link)
        heading = page.get_by_role("heading", level=1)
        await expect(heading).to_have_text("Creado")
        await expect(page.locator("#live")).to_be_visible()
        assert "#" not in page.url
        await page.evaluate("window.sameDocument = true")
        for status in PATH_TO[Status.DELIVERED]:
            await driver.reported(event_body(number, status))
            await expect(heading).to_have_text(re.compile(HEADINGS[status]), timeout=LIVE_WITHIN_MS)
        assert await page.evaluate("window.sameDocument")
        history = page.locator("ol.timeline:not(.is-upcoming) > li .step-label")
        assert await history.all_text_contents() == [*reversed(HEADINGS.values()), "Creado"]
        [cookie] = await person.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (
            True,
            "Strict",
            f"/track/{number}",
        )


async def test_a_reader_with_the_number_alone_gets_no_cookie_and_follows_it_too(
    browser: Browser, url: str, shipper: Api, driver: Api
) -> None:
    number = await shipper.created(shipment_body())
    async with visitor(browser, url) as person:
        page = await person.open("/track")
        await page.get_by_label("Tracking number").fill(number.lower())
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Created")
        await driver.reported(event_body(number, Status.PICKED_UP))
        await expect(page.get_by_role("heading", level=1)).to_have_text("Picked up", timeout=LIVE_WITHIN_MS)
        await expect(page.locator("#announcement")).to_have_text("Picked up")
        assert await person.context.cookies() == []


async def test_without_scripts_the_same_is_shown_once(
    browser: Browser, url: str, shipper: Api, driver: Api
) -> None:
    number = await shipper.created(shipment_body())
    async with visitor(browser, url, language="pt", has_scripts=False) as person:
        page = await person.open(f"/track/{number}")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Criado")
        await driver.outcome(await driver.reported(event_body(number, Status.PICKED_UP)))
        await page.reload()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Coletado")
        await page.locator(".languages summary").click()
        await page.get_by_role("link", name="English").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Picked up")
