"""/shipments/{tracking_number}/links: who may make links, how many, and until when."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from domain.access.permissions import Principal
from domain.shipments.links import token_hash
from domain.shipments.status import Status
from domain.timestamps import format_timestamp
from tests.support.builders import NUMBER, consumed_all, creation, ends_at, number, plan_for, report
from tests.unit.query_api.conftest import ADMIN, CLIENT, DRIVER, OTHER_CLIENT, Api, World
from tests.unit.query_api.test_shipments import store

ALL = (Status.PICKED_UP, Status.IN_WAREHOUSE, Status.IN_TRANSIT, Status.DELIVERED)
LINKS = f"/shipments/{NUMBER}/links"


async def deliver(world: World, *, recorded_at: datetime) -> None:
    fence = await world.store.acquire("shipments.events/0", owner="test", end_offset=ends_at(0))
    delivered = consumed_all(creation(), *(report(status) for status in ALL))
    await world.store.commit([(fence, plan_for(delivered))], recorded_at=recorded_at)


@pytest.fixture
async def under_way(world: World) -> None:
    await store(world, [creation(), report(Status.PICKED_UP)])


@pytest.mark.usefixtures("under_way")
async def test_a_link_is_shown_once_and_its_token_is_stored_as_a_digest(api: Api, world: World) -> None:
    made = await api.ask("POST", LINKS, who=CLIENT)
    body = await made.json()
    assert (made.status, made.headers["Cache-Control"]) == (201, "no-store")
    assert list(body) == ["id", "url", "expires_at"]
    assert body["expires_at"] is None
    found = re.fullmatch(rf"http://127\.0\.0\.1:\d+/track/{NUMBER}#([A-Za-z0-9_-]{{43}})", body["url"])
    assert found is not None
    opened = await world.links.find_opened(found[1], datetime.now(UTC))
    assert opened is not None
    assert opened.tracking_number == NUMBER
    [link] = await world.links.of_shipment(NUMBER)
    assert (link.link_id, link.tracking_number, link.created_by) == (body["id"], NUMBER, CLIENT.subject)

    listed = await api.get(LINKS, who=CLIENT)
    assert listed.headers["Cache-Control"] == "no-store"
    text = await listed.text()
    assert [list(each) for each in (await listed.json())["data"]] == [
        ["id", "created_by", "created_at", "expires_at"]
    ]
    assert found[1] not in text
    assert token_hash(found[1]).hex() not in text


@pytest.mark.usefixtures("under_way")
async def test_a_shipment_has_at_most_five_and_a_deleted_one_makes_room(api: Api) -> None:
    made = [await api.ask("POST", LINKS) for _ in range(6)]
    assert [response.status for response in made] == [201] * 5 + [409]
    assert (await made[5].json())["error"] == "TOO_MANY_LINKS"
    link = (await made[2].json())["id"]
    assert (await api.ask("DELETE", f"{LINKS}/{link}")).status == 204
    assert link not in {each["id"] for each in (await (await api.get(LINKS)).json())["data"]}
    assert (await api.ask("POST", LINKS)).status == 201


@pytest.mark.usefixtures("under_way")
async def test_a_deleted_link_is_unknown_and_so_is_one_of_another_shipment(api: Api, world: World) -> None:
    made = await (await api.ask("POST", LINKS)).json()
    other = f"/shipments/{number(2)}/links/{made['id']}"
    assert (await api.ask("DELETE", other)).status == 404
    assert (await api.ask("DELETE", f"{LINKS}/{made['id']}")).status == 204
    gone = await api.ask("DELETE", f"{LINKS}/{made['id']}")
    assert (gone.status, (await gone.json())["error"]) == (404, "LINK_NOT_FOUND")
    assert await world.links.find_opened(made["url"].partition("#")[2], datetime.now(UTC)) is None


@pytest.mark.usefixtures("under_way")
@pytest.mark.parametrize(
    ("who", "status"), [(ADMIN, 200), (CLIENT, 200), (OTHER_CLIENT, 403), (DRIVER, 403), (None, 401)]
)
async def test_links_are_the_owners_business(api: Api, who: Principal | None, status: int) -> None:
    created = 201 if status == 200 else status
    assert (await api.ask("POST", LINKS, who=who)).status == created
    assert (await api.get(LINKS, who=who)).status == status
    deleted = await api.ask("DELETE", f"{LINKS}/ln_{'a' * 20}", who=who)
    assert deleted.status == (404 if status == 200 else status)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unknown_shipment_has_no_links(api: Api, method: str) -> None:
    response = await api.ask(method, f"/shipments/{number(2)}/links", who=CLIENT)
    assert (response.status, (await response.json())["error"]) == (404, "SHIPMENT_NOT_FOUND")


async def test_links_end_thirty_days_after_the_delivery_was_recorded(api: Api, world: World) -> None:
    ended_at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=29)
    await deliver(world, recorded_at=ended_at)
    made = await (await api.ask("POST", LINKS)).json()
    end = ended_at + timedelta(days=30)
    assert made["expires_at"] == format_timestamp(end)
    assert world.links.ends[NUMBER] == end
    token = made["url"].partition("#")[2]
    assert await world.links.find_opened(token, end - timedelta(seconds=1)) is not None
    assert await world.links.find_opened(token, end) is None


async def test_a_shipment_that_ended_long_ago_has_no_links_and_gets_none(api: Api, world: World) -> None:
    await deliver(world, recorded_at=datetime.now(UTC) - timedelta(days=31))
    refused = await api.ask("POST", LINKS)
    assert (refused.status, (await refused.json())["error"]) == (409, "LINKS_ENDED")
    assert (await (await api.get(LINKS)).json()) == {"data": []}
