"""What operators and clients do in the console, in a browser: each act, and what it leads to."""

import pytest
from playwright.async_api import Browser, Page, expect

from domain.shipments.status import Status
from domain.webhooks.message import TEST
from messaging.consumer.partition.dead_lettering import MAX_CONSECUTIVE_DEAD_LETTERS
from messaging.settings import KafkaSettings
from messaging.topics import Topics
from tests.browser.scenes import ADMIN, CLIENT
from tests.e2e.test_quarantine import heard, reported
from tests.e2e.traffic import shipment_at, shipment_body
from tests.support.api import PASSWORD, Api, eventually
from tests.support.browser.visits import sign_in, visitor
from tests.support.receiving.receiver import receiver
from tests.support.stack import StackAddresses
from tests.support.topics import write_values

pytestmark = [
    pytest.mark.stack,
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="session"),
]

HALTED = 11
SLOW_MS = 30_000


async def click(page: Page, role: str, name: str) -> None:
    await page.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]  # a role


async def is_applied(admin: Api, number: str) -> bool | None:
    return (await admin.shipment(number))["current_status"] == "picked_up" or None


async def test_login_leads_to_the_page_that_was_asked_for_and_ends(browser: Browser, url: str) -> None:
    async with visitor(browser, url) as person:
        page = await person.open("/console/partitions")
        await page.fill("[name=username]", ADMIN)
        await page.fill("[name=password]", "not the password")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_be_visible()
        await page.fill("[name=password]", PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Partitions")
        [cookie] = await person.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/console")
        assert cookie["value"] not in await page.content()
        await click(page, "button", "Log out")
        await page.goto(f"{url}/console/partitions")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Log in")


async def test_events_of_a_quarantined_shipment_are_replayed_after_its_release(
    browser: Browser, url: str, admin: Api, driver: Api
) -> None:
    number = await admin.created(shipment_body())
    async with visitor(browser, url) as person:
        page = await sign_in(person, ADMIN, PASSWORD)
        await page.goto(f"{url}/console/quarantine")
        await page.fill("#tracking_number", number)
        await page.fill("#reason", "its events <b>break</b> something")
        await click(page, "button", "Quarantine…")
        await click(page, "button", f"Quarantine {number}")
        await expect(page.get_by_role("row").filter(has_text=number)).to_contain_text("<b>break</b>")
        await heard(driver, number, "dead")
        event = await reported(driver, number, Status.PICKED_UP, "scanner-1")
        assert event["outcome"] == "dead"
        await page.get_by_role("row").filter(has_text=number).get_by_text("Release…").click()
        await click(page, "button", f"Release {number}")
        await heard(driver, number, "rejected")
        await page.goto(f"{url}/console/dead-letters?state=open&tracking_number={number}")
        await page.get_by_role("button", name="Replay all").click()
        await page.locator("#second-look").get_by_role("button", name="Replay").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("in the log again")
        await eventually(lambda: is_applied(admin, number), within_s=20)


async def test_an_operator_retracts_an_event(browser: Browser, url: str, admin: Api, driver: Api) -> None:
    number = await shipment_at(Status.PICKED_UP, admin=admin, driver=driver)
    async with visitor(browser, url) as person:
        page = await sign_in(person, ADMIN, PASSWORD)
        await page.goto(f"{url}/console/shipments/{number}")
        await click(page, "link", "Retract this event…")
        await page.fill("[name=reason]", "scanned the wrong parcel")
        await click(page, "button", "Retract one event")

        async def is_back() -> bool | None:
            return (await admin.shipment(number))["current_status"] == "created" or None

        await eventually(is_back, within_s=20)


async def test_a_client_makes_a_webhook_and_tests_it(browser: Browser, url: str) -> None:
    async with receiver() as hooks, visitor(browser, url) as person:
        page = await sign_in(person, CLIENT, PASSWORD)
        await page.goto(f"{url}/console/webhooks/new")
        await page.fill("#url", hooks.url("/from-the-console"))
        await click(page, "button", "Make the endpoint")
        secret = await page.locator("code.once").text_content()
        assert secret
        await click(page, "link", "I have it: go to the endpoint")
        assert secret not in await page.content()
        await click(page, "button", "Send a test")
        await expect(page.get_by_text("The test arrived:")).to_be_visible(timeout=SLOW_MS)
        # Changes of other tests' shipments of this client may have come too.
        [message] = [each for each in hooks.at("/from-the-console") if each.type == TEST]
        message.verify(secret)


async def test_an_operator_resumes_a_halted_partition(
    browser: Browser, stack: StackAddresses, admin: Api
) -> None:
    kafka = KafkaSettings(KAFKA_BROKERS=stack.kafka_brokers)  # type: ignore[call-arg]
    poison = [(None, b"{")] * (MAX_CONSECUTIVE_DEAD_LETTERS + 5)
    await write_values(kafka, Topics().events, poison, HALTED)

    async def halted(*, is_so: bool) -> bool | None:
        found = (await admin.get("/partitions")).body["data"]
        state = next(each for each in found if each["partition"] == HALTED)
        return state["halted"] == is_so or None

    await eventually(lambda: halted(is_so=True), within_s=60)
    async with visitor(browser, stack.gateway_url) as person:
        page = await sign_in(person, ADMIN, PASSWORD)
        await page.goto(f"{person.url}/console/partitions")
        await click(page, "link", f"Resume partition {HALTED}…")
        await page.fill("#reason", "the sender is repaired")
        await click(page, "button", f"Resume partition {HALTED}")
        await eventually(lambda: halted(is_so=False), within_s=60)
        await page.goto(f"{person.url}/console/actions")
        await expect(page.get_by_text("the sender is repaired").first).to_be_visible()
