"""Pages of GET /track and /track/{tracking_number}, and the cookie of a link."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from aiohttp import ClientResponse
from yarl import URL

from domain.shipments.commands import Command
from domain.shipments.links import KEPT_FOR, LinkId, ShipmentLink, link_token_from, token_hash
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber
from portal.tracking.links import COOKIE
from tests.support.absent import DIFFERING, NOT_THERE
from tests.support.builders import (
    NOON,
    NUMBER,
    RECORDED_AT,
    ROUTE,
    checkpoint,
    consumed_all,
    creation,
    ends_at,
    number,
    plan_for,
    report,
)
from tests.support.fakes import InMemoryShipmentStore
from tests.unit.portal.conftest import Client, World

HOSTILE = '<script>alert("x")</script>'
TOKEN = link_token_from(bytes(range(32)))


async def store(world: World, *commands: Command) -> None:
    shipments = InMemoryShipmentStore(world.documents)
    fence = await shipments.acquire("shipments.events/0", owner="test", end_offset=ends_at(0))
    await shipments.commit([(fence, plan_for(consumed_all(*commands)))], recorded_at=RECORDED_AT)


@pytest.fixture
async def under_way(world: World) -> str:
    await store(
        world,
        creation(),
        report(Status.PICKED_UP, notes=HOSTILE, source="driver-017"),
        checkpoint("on_hold"),
    )
    world.clock.advance(RECORDED_AT - NOON + timedelta(minutes=12))
    return f"/track/{NUMBER}"


async def link_to(world: World, shipment: TrackingNumber = NUMBER) -> None:
    link = ShipmentLink(
        link_id=LinkId("ln_x"), tracking_number=shipment, created_by="client_user_001", created_at=NOON
    )
    assert await world.links.add(link, token_hash(TOKEN))


async def test_page_shows_state_and_history_and_nothing_else(portal: Client, under_way: str) -> None:
    response = await portal.get(under_way)
    page = await response.text()
    assert (response.status, response.content_type) == (200, "text/html")
    assert "<h1>On hold</h1>" in page
    assert "Last news" in page
    assert "12 minutes ago" in page
    assert re.findall(r'class="step-label">([^<]+)<', page) == [
        "Delivered",
        "In transit",
        "Next: In warehouse",
        "On hold",
        "Picked up",
        "Created",
    ]
    for private in ("driver-017", "alert(", "client_001", "Arequipa", "Bogotá", "2.5", "scanner"):
        assert private not in page
    assert "Set-Cookie" not in response.headers
    assert NUMBER not in (re.search(r"<head>.*</head>", page, re.DOTALL) or [""])[0]


async def test_page_is_small(portal: Client, under_way: str) -> None:
    page = await (await portal.get(under_way)).text()
    addresses = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page)
    sizes = [len(await (await portal.get(address)).read()) for address in addresses]
    assert len(sizes) >= 5
    assert len(page) + sum(sizes) < 60_000


async def test_hostile_names_are_text(portal: Client, under_way: str) -> None:
    hostile = quote(HOSTILE)
    for path in (f"{under_way}?lang={hostile}&x={hostile}", f"/track?number={hostile}"):
        page = await (await portal.get(path)).text()
        assert "<script>alert" not in page


@pytest.mark.usefixtures("under_way")
@pytest.mark.parametrize("lang", ["es", "en", "pt"])
async def test_whatever_is_not_there_has_one_page(portal: Client, lang: str) -> None:
    pages = set()
    for typed in (*NOT_THERE.values(), "session", quote(HOSTILE)):
        response = await portal.get(URL(f"/track/{typed}?lang={lang}", encoded=True))
        assert response.status == 404, typed
        headers = tuple(sorted(each for each in response.headers.items() if each[0].lower() not in DIFFERING))
        pages.add((await response.read(), headers))
    assert len(pages) == 1


@pytest.mark.usefixtures("under_way")
async def test_typed_number_is_found_as_people_write_it(portal: Client) -> None:
    typed = f"%20{NUMBER.lower()[:8]}%20{NUMBER.lower()[8:]}%20"
    response = await portal.get(f"/track?number={typed}&lang=pt", allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, f"/track/{NUMBER.lower()}?lang=pt")
    shown = await portal.get(response.headers["Location"])
    assert (shown.status, str(shown.url.relative())) == (200, f"/track/{NUMBER}?lang=pt")


@pytest.mark.parametrize("typed", ["//evil.example", "/\\evil.example", "http://evil.example", "a\r\nb"])
async def test_typed_text_leads_nowhere_else(portal: Client, typed: str) -> None:
    response = await portal.get("/track", params={"number": typed}, allow_redirects=False)
    assert re.fullmatch(r"/track/[A-Za-z0-9%._~-]+", response.headers["Location"])
    assert (await portal.get(response.headers["Location"])).status == 404


async def test_link_is_exchanged_for_a_cookie_of_its_page(
    world: World, portal: Client, under_way: str
) -> None:
    await link_to(world)
    response = await exchange(portal, TOKEN)
    assert response.status == 204
    cookie = response.cookies[COOKIE]
    assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == (f"/track/{NUMBER}", "Strict", True)
    assert cookie["secure"] == ""
    page = await portal.get(under_way, headers={"Cookie": f"{COOKIE}={TOKEN}"})
    assert TOKEN not in await page.text()


async def test_unknown_and_ended_links_have_one_answer(world: World, portal: Client) -> None:
    await store(world, creation(), *(report(status) for status in ROUTE))
    await link_to(world)
    world.clock.advance(RECORDED_AT - NOON + KEPT_FOR)
    bodies = set()
    for token in (TOKEN, link_token_from(bytes(32)), "", "x" * 200, HOSTILE):
        response = await exchange(portal, token)
        assert response.status == 404
        assert not response.cookies
        bodies.add(re.sub(r'"timestamp":"[^"]+"', "", await response.text()))
    assert len(bodies) == 1


async def test_cookie_of_another_shipment_shows_nothing_more(
    world: World, portal: Client, under_way: str
) -> None:
    plain = await (await portal.get(under_way)).text()
    await link_to(world, number(7))
    await store(world, creation(number(7)))
    for token in (TOKEN, "nonsense", "%7F"):
        page = await portal.get(under_way, headers={"Cookie": f"{COOKIE}={token}"})
        assert await page.text() == plain


async def test_too_many_requests_are_a_page(portal: Client) -> None:
    for _ in range(100):
        response = await portal.get("/track/nothing?lang=es")
        if response.status == 429:
            break
    assert response.status == 429
    assert int(response.headers["Retry-After"]) > 0
    assert "Demasiadas solicitudes" in await response.text()


async def exchange(portal: Client, token: str) -> ClientResponse:
    origin = str(portal.make_url("")).rstrip("/")
    return await portal.post("/track/session", json={"token": token}, headers={"Origin": origin})
