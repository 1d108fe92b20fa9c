"""Console pages of shipments, webhooks and the upload, on the whole stack and without scripts."""

import io
import re
from collections.abc import AsyncIterator

import aiohttp
import pytest

from domain.shipments.status import Status
from tests.e2e.traffic import event_body, shipment_at, shipment_body
from tests.support.api import PASSWORD, Api, eventually
from tests.support.plain_browser import PlainBrowser
from tests.support.receiving.receiver import receiver
from tests.support.stack import StackAddresses

pytestmark = pytest.mark.stack


@pytest.fixture
async def browser(stack: StackAddresses) -> AsyncIterator[PlainBrowser]:
    """Give a browser at the gateway, in which nobody is logged in."""
    async with aiohttp.ClientSession(stack.gateway_url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield PlainBrowser(session, stack.gateway_url)


@pytest.fixture
async def operator(browser: PlainBrowser) -> PlainBrowser:
    await log_in(browser, "admin_user")
    return browser


async def log_in(browser: PlainBrowser, username: str) -> None:
    response = await browser.post("/console/login", {"username": username, "password": PASSWORD})
    assert response.status == 303, await response.text()


async def test_an_event_is_retracted_and_a_shipment_cancelled_in_the_version_that_was_seen(
    operator: PlainBrowser, admin: Api, driver: Api
) -> None:
    number = await shipment_at(Status.PICKED_UP, admin=admin, driver=driver)
    early = await driver.reported(event_body(number, Status.DELIVERED, notes="<b>bold</b>"))
    await driver.outcome(early)
    path = f"/console/shipments/{number}"
    page = await operator.page(path)
    assert "Held: it is applied when it becomes legal, until" in page
    [version] = set(re.findall(r'name="version" value="(\d+)"', await operator.page(f"{path}?act=cancel")))

    [event_id] = set(re.findall(r"act=retract&amp;target=([^#\"]+)", page))
    fields = {"act": "retract", "event_id": event_id, "reason": "the parcel beside it was meant"}
    retracted = await operator.post(path, fields)
    assert (retracted.status, retracted.headers["Location"]) == (303, f"{path}?notice=retracted")
    creation = (await admin.shipment(number))["status_history"][0]["event_id"]
    refused = await operator.post(path, {**fields, "event_id": creation})
    assert (refused.status, "NOT_THE_LATEST" in await refused.text()) == (409, True)

    stale = await operator.post(path, {"act": "cancel", "version": version})
    assert (stale.status, "PRECONDITION_FAILED" in await stale.text()) == (412, True)
    [seen] = set(re.findall(r'name="version" value="(\d+)"', await operator.page(f"{path}?act=cancel")))
    cancelled = await operator.post(path, {"act": "cancel", "version": seen})
    assert cancelled.headers["Location"] == f"{path}?notice=cancelled"
    assert "act=cancel" not in await operator.page(path)
    assert (await admin.shipment(number))["current_status"] == "cancelled"


async def test_a_webhook_is_made_tested_paused_replayed_and_deleted(
    operator: PlainBrowser, admin: Api, driver: Api, new_client_id: str
) -> None:
    refused = await operator.post("/console/webhooks/new", {"url": "ftp://example.com", "payload": "full"})
    assert (refused.status, 'aria-describedby="fault-url"' in await refused.text()) == (400, True)
    async with receiver() as receiving:
        form = {
            "url": receiving.url("/hook"),
            "client_id": new_client_id,
            "types": ["shipment.created", "shipment.picked_up"],
        }
        made = await operator.post("/console/webhooks/new", {**form, "payload": "thin", "ordering": "none"})
        page = await made.text()
        [secret] = re.findall(r"whsec_[A-Za-z0-9+/]{43}=", page)
        [path] = set(re.findall(r"/console/webhooks/wh_[a-z2-7]{20}", page))
        assert secret not in await operator.page(path)

        tested = await operator.post(path, {"act": "test"})
        assert "The test arrived:" in await tested.text()
        receiving.received[-1].verify(secret)

        number = await admin.created(shipment_body(new_client_id))
        await driver.reported(event_body(number, Status.PICKED_UP))
        sent = f"/console/shipments/{number}/webhooks"

        async def both_arrived() -> str | None:
            listed = await operator.page(f"{path}?tracking_number={number}")
            return listed if listed.count('data-state="delivered"') == 2 else None

        listed = await eventually(both_arrived)
        assert "2 deliveries" in await operator.page(sent)
        delivery = next(iter(re.findall(rf"{path}/deliveries/msg_\w+", listed)))
        assert number in await operator.page(delivery)
        retried = await operator.post(delivery)
        assert retried.headers["Location"] == f"{delivery}?notice=delivery_due"
        await receiving.has(4)

        await _paused_and_resumed(operator, path)
        await _replayed(operator, path)
        await _rotated_and_deleted(operator, path, secret)


async def _paused_and_resumed(browser: PlainBrowser, path: str) -> None:
    for act, words in (("pause", "Resume"), ("resume", "Pause…")):
        assert (await browser.post(path, {"act": act})).status == 303
        assert words in await browser.page(path)


async def _rotated_and_deleted(browser: PlainBrowser, path: str, secret: str) -> None:
    rotation = await browser.shown(path, {"act": "rotate", "grace_h": "0"})
    assert "whsec_" in rotation
    assert secret not in rotation
    deleted = await browser.post(path, {"act": "delete"})
    assert deleted.headers["Location"] == "/console/webhooks?notice=webhook_deleted"
    await browser.page(path, status=404)


async def _replayed(browser: PlainBrowser, path: str) -> None:
    """Replay what was delivered, after a look at how many that are, and wait until it is done."""
    period = "act=replay&start=2026-01-01T00:00&end=2099-01-01T00:00&states=delivered&states=failed"
    look = await browser.page(f"{path}?{period}")
    [(_, count)] = re.findall(r"Replay (one delivery|([\d,]+) deliveries)</button>", look)
    assert count == "2"
    fields = {
        "act": "replay",
        "start": "2026-01-01T00:00",
        "end": "2099-01-01T00:00",
        "states": ["delivered"],
    }
    started = await browser.post(path, fields)
    replay = started.headers["Location"]

    async def done() -> str | None:
        page = await browser.page(replay)
        return page if ">Done<" in page else None

    assert "<dt>Found</dt><dd>2</dd>" in await eventually(done)


async def test_a_file_is_sent_part_by_part_and_its_result_names_each_row(
    operator: PlainBrowser, admin: Api, driver: Api
) -> None:
    number = await shipment_at(Status.CREATED, admin=admin, driver=driver)
    rows = [
        f"{number},picked_up,2026-11-02 08:00:{second % 60:02},gate-{second // 60}" for second in range(502)
    ]
    rows[1] = f"{number},lost,2026-11-02 08:00:01,gate-0"
    rows[2] = f"{number},picked_up,yesterday,gate-0"
    content = "\n".join(["tracking_number;status;timestamp;source", *(row.replace(",", ";") for row in rows)])
    form = aiohttp.FormData({"zone": "America/Mexico_City", "order": "ymd", "source": ""})
    form.add_field("file", io.BytesIO(content.encode()), filename="scans.csv")
    response = await operator.client.post("/console/upload", data=form, headers={"Origin": operator.origin})
    page = await response.text()
    assert "Send 501 events" in page

    parts = []
    while 'action="/console/upload/part"' in page:
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
        page = await (await operator.post("/console/upload/part", fields)).text()
        parts.append(page)
    assert len(parts) == 2
    assert "<dt>Accepted events</dt><dd>500</dd>" in page
    [carried] = re.findall(r'name="carried" value="([^"]+)"', page)
    result = await (await operator.post("/console/upload/result", {"carried": carried})).text()
    lines = result.splitlines()
    assert lines[0].endswith("tracking_number,status,timestamp,source,waybill_event_id,waybill_error")
    assert re.search(r',,"status must be one of', lines[2])
    assert re.search(',"?timestamp is no date', lines[3])
    event_id = lines[1].split(",")[4]
    assert (await admin.outcome(event_id))["outcome"] == "applied"
    assert (await admin.shipment(number))["current_status"] == "picked_up"


async def test_a_file_in_which_nothing_is_valid_names_the_fault_of_each_row(operator: PlainBrowser) -> None:
    form = aiohttp.FormData({"zone": "UTC", "order": "ymd", "source": "desk"})
    content = (
        b"tracking_number,status,timestamp\n99M-1,picked_up,2026-11-02 08:00\n99M-2,lost,2026-11-02 08:00\n"
    )
    form.add_field("file", io.BytesIO(content), filename="scans.csv")
    response = await operator.client.post("/console/upload", data=form, headers={"Origin": operator.origin})
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', await response.text()))
    page = await (await operator.post("/console/upload/part", fields)).text()
    assert "<dt>Rejected rows</dt><dd>2</dd>" in page
    errors = re.findall(r'<th scope="row" class="number">\d</th><td>([^<]+)</td>', page)
    assert ["tracking_number" in error for error in errors] == [True, True]
    assert ["status must be one of" in error for error in errors] == [False, True]
