"""`PublicShipmentReader` and `LinkStore`: the public views, and links, few and as lasting as the shipment."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from domain.ports.core import ShipmentStore
from domain.ports.public import LinkStore, PublicShipmentReader
from domain.shipments.links import LinkId, ShipmentLink, token_hash
from domain.shipments.public_view import Position
from domain.shipments.status import Status
from domain.shipments.tracking_number import NOBODY
from storage.mongo.operations.shipment_links import MongoLinkStore
from storage.mongo.processing.shipment_store import MongoShipmentStore
from storage.mongo.queries.public import MongoPublicShipmentReader
from tests.contract.writing import Writer
from tests.support.builders import (
    NOON,
    NUMBER,
    RECORDED_AT,
    RENAMED,
    ROUTE,
    amendment,
    checkpoint,
    creation,
    number,
    report,
    retraction,
)
from tests.support.fakes import (
    Documents,
    InMemoryLinkStore,
    InMemoryPublicShipmentReader,
    InMemoryShipmentStore,
)

LINK = ShipmentLink(link_id=LinkId("ln_first"), tracking_number=NUMBER, created_by="ana", created_at=NOON)
END = RECORDED_AT + timedelta(days=30)


@dataclass(frozen=True)
class Stores:
    shipments: ShipmentStore
    public: PublicShipmentReader
    links: LinkStore

    async def writer(self) -> Writer:
        return await Writer.of(self.shipments)

    async def add(self, index: int, *, at: datetime = NOON) -> bool:
        link = replace(LINK, link_id=LinkId(f"ln_{index}"), created_at=at)
        return await self.links.add(link, token_hash(f"token {index}"))


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.stack)])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        documents = Documents()
        return Stores(
            InMemoryShipmentStore(documents),
            InMemoryPublicShipmentReader(documents),
            InMemoryLinkStore(documents),
        )
    database = request.getfixturevalue("database")
    return Stores(MongoShipmentStore(database), MongoPublicShipmentReader(database), MongoLinkStore(database))


async def test_the_view_has_the_steps_in_their_order(stores: Stores) -> None:
    writer = await stores.writer()
    await writer.write(creation(), *(report(status) for status in ROUTE[:3]))
    await writer.write(replace(checkpoint("arrived_at_hub"), utc_offset="-06:00"))
    await writer.write(checkpoint("code_of_ours", at=NOON + timedelta(minutes=50)))

    view = await stores.public.find(NUMBER.lower())

    assert view is not None
    assert (view.tracking_number, view.current_status, view.version) == (NUMBER, Status.IN_TRANSIT, 6)
    assert (view.updated_at, view.ended_at, view.expected) == (RECORDED_AT, None, None)
    statuses = [Status.CREATED, *ROUTE[:3], Status.IN_TRANSIT]
    assert [step.status for step in view.steps] == statuses
    assert [step.checkpoint for step in view.steps] == [None] * 4 + ["arrived_at_hub"]
    assert view.steps[-1].utc_offset == "-06:00"
    assert {step.position for step in view.steps} == {None}

    linked = await stores.public.find_linked(NUMBER)
    assert linked is not None
    assert [step.position for step in linked.steps] == [None] * 4 + [Position(lat=19.4, lng=-99.1)]


async def test_the_expected_delivery_is_read_with_a_link(stores: Stores) -> None:
    await (await stores.writer()).write(creation(), amendment(changes=RENAMED))
    public, linked = await stores.public.find(NUMBER), await stores.public.find_linked(NUMBER)
    assert public is not None
    assert public.expected is None
    assert linked is not None
    assert linked.expected is not None
    assert linked.expected.latest - linked.expected.earliest == timedelta(hours=3)


@pytest.mark.parametrize(
    "typed", [number(2), NOBODY, NUMBER[:-1], f"{NUMBER}\n", f" {NUMBER}", "", "\0", "\udcff", "9" * 9_000]
)
async def test_what_is_no_shipments_number_finds_nothing(stores: Stores, typed: str) -> None:
    await (await stores.writer()).write(creation())
    assert await stores.public.find(typed) is None


async def opened(stores: Stores, token: str, now: datetime) -> str | None:
    shipment = await stores.links.find_opened(token, now)
    return None if shipment is None else shipment.tracking_number


async def test_a_link_is_found_by_its_token_alone(stores: Stores) -> None:
    await (await stores.writer()).write(creation())
    assert await stores.links.add(LINK, token_hash("token"))
    assert await opened(stores, "token", NOON) == NUMBER
    assert await opened(stores, token_hash("token").hex(), NOON) is None
    assert await opened(stores, "", NOON) is None


async def test_a_link_of_a_shipment_that_does_not_exist_is_not_valid(stores: Stores) -> None:
    """As after a restore, while the log is still being read."""
    assert await stores.links.add(LINK, token_hash("token"))
    assert await opened(stores, "token", NOON) is None
    await (await stores.writer()).write(creation())
    assert await opened(stores, "token", NOON) == NUMBER


async def test_a_link_ends_with_its_shipment_and_is_valid_again_if_the_delivery_is_retracted(
    stores: Stores,
) -> None:
    writer = await stores.writer()
    route = [report(status) for status in ROUTE]
    await writer.write(creation(), *route)
    await stores.links.add(LINK, token_hash("token"))
    assert await opened(stores, "token", END - timedelta(milliseconds=1)) == NUMBER
    assert await opened(stores, "token", END) is None
    await writer.write(retraction(route[-1]))
    assert await opened(stores, "token", END) == NUMBER


@pytest.mark.race
async def test_of_links_at_once_five_are_added_and_room_is_found_again(stores: Stores) -> None:
    added = await asyncio.gather(*(stores.add(index) for index in range(12)))
    assert sum(added) == 5
    links = await stores.links.of_shipment(NUMBER)
    assert len(links) == 5
    assert await stores.links.remove(NUMBER, links[2].link_id)
    assert await stores.add(20)
    assert not await stores.add(21)


async def test_links_are_listed_oldest_first_and_those_of_others_are_not(stores: Stores) -> None:
    for index in (3, 1, 2):
        await stores.add(index, at=NOON + timedelta(seconds=index))
    other = replace(LINK, link_id=LinkId("ln_other"), tracking_number=number(2))
    await stores.links.add(other, token_hash("other"))
    assert [link.link_id for link in await stores.links.of_shipment(NUMBER)] == ["ln_1", "ln_2", "ln_3"]
    assert await stores.links.of_shipment(number(2)) == [other]
    assert not await stores.links.remove(NUMBER, other.link_id)


async def test_a_noted_end_neither_ends_links_nor_keeps_them(stores: Stores) -> None:
    """It is for the deletion of documents alone."""
    await (await stores.writer()).write(creation())
    await stores.links.add(LINK, token_hash("token"))
    for noted in (NOON, None):
        await stores.links.note_end(NUMBER, noted)
        assert await opened(stores, "token", END) == NUMBER
