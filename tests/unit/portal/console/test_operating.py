"""Pages of partitions, quarantine, actions and events, and the search."""

import re
from datetime import timedelta

import pytest

from domain.ports.core import Fence
from domain.processing.halts import Halt, Start
from domain.shipments.status import Status
from messaging.backlog import Waiting
from tests.support.builders import (
    NOON,
    NUMBER,
    RECORDED_AT,
    consumed_all,
    creation,
    dead_letter,
    ends_at,
    number,
    plan_for,
    report,
)
from tests.support.fakes.shipments import StoredPartitionState
from tests.unit.portal.console.conftest import Console
from tests.unit.query_api.conftest import CLIENT
from tests.unit.query_api.conftest import World as ApiWorld

HALTS = {
    3: Halt("100 dead letters in a row", NOON, skip_to=104),
    5: Halt("offset 10 is no longer in the log", NOON + timedelta(hours=1), is_gap=True),
    6: Halt("the log ends before offset 106", NOON, is_gap=True, skip_to=90),
    7: Halt("<b>poison</b>", NOON),
}
WHY = {"reason": "the old version is back"}


@pytest.fixture
def partitions(api_world: ApiWorld) -> None:
    for partition in (0, 1, 2, *HALTS):
        name = f"shipments.events/{partition}"
        api_world.documents.fences[name] = Fence(name, 4, 100 + partition)
        api_world.documents.partition_states[name] = StoredPartitionState(
            owner=f"processor-{partition}", halt=HALTS.get(partition)
        )


def rows(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="[^"]*">([^<]+)</a>', page)


@pytest.mark.usefixtures("partitions")
async def test_halted_partitions_come_first_and_unknown_depths_are_unknown(operator: Console) -> None:
    page = await operator.page("/console/partitions")
    assert "4 partitions are halted" in page
    assert page.index("Partition 3") < page.index("Running partitions")
    assert rows(page) == ["0", "1", "2"]
    assert page.count(">unknown</span>") == 3 * 2 + 4
    assert "&lt;b&gt;poison&lt;/b&gt;" in page


@pytest.mark.usefixtures("partitions")
async def test_while_the_log_grows_the_page_of_a_number_shows_the_halted_partition(
    operator: Console, api_world: ApiWorld
) -> None:
    for name, halt in {"shipments.events-24/0": HALTS[3], "shipments.events-24/3": None}.items():
        api_world.documents.fences[name] = Fence(name, 1, 7)
        api_world.documents.partition_states[name] = StoredPartitionState(owner="grown", halt=halt)
    assert "grown" in await operator.page("/console/partitions/0")
    assert "processor-3" in await operator.page("/console/partitions/3")
    assert "processor-1" in await operator.page("/console/partitions/1")


@pytest.mark.usefixtures("partitions")
async def test_running_partitions_are_sorted_by_their_address(operator: Console, api_world: ApiWorld) -> None:
    api_world.depths = {
        "shipments.events/0": Waiting(7, NOON),
        "shipments.events/1": Waiting(1_234, NOON - timedelta(hours=1)),
        "shipments.events/2": Waiting(0, None),
    }
    page = await operator.page("/console/partitions?sort=-lag")
    assert rows(page) == ["1", "0", "2"]
    assert 'aria-sort="descending"' in page
    assert "1,234" in page
    assert "nothing waits" in page
    assert rows(await operator.page("/console/partitions?sort=oldest")) == ["1", "0", "2"]
    assert rows(await operator.page("/console/partitions?sort=nonsense")) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("partition", "starts", "says"),
    [
        (3, ["committed", "next"], "One record is skipped, and not applied."),
        (5, ["earliest"], "Records that the log has lost stay lost."),
        (6, ["next", "earliest"], "where the log ends now"),
        (7, ["committed"], "Nothing is skipped."),
    ],
)
@pytest.mark.usefixtures("partitions")
async def test_the_second_look_offers_what_the_api_accepts(
    operator: Console, api_world: ApiWorld, partition: int, starts: list[str], says: str
) -> None:
    page = await operator.page(f"/console/partitions/{partition}?act=resume")
    assert re.findall(r'name="start" value="(\w+)"', page) == starts
    assert says in page
    for start in starts:
        response = await operator.post(f"/console/partitions/{partition}/resume", {**WHY, "start": start})
        assert response.status == 303, await response.text()
        assert api_world.documents.resumptions[f"shipments.events/{partition}"].start is Start(start)
    page = await operator.page(response.headers["Location"])
    assert "The partition resumes within seconds." in page
    assert "admin_user has asked to resume it." in page


@pytest.mark.usefixtures("partitions")
async def test_a_rejected_resume_shows_the_form_again_with_its_reason(
    operator: Console, api_world: ApiWorld
) -> None:
    for partition, fields, status in ((5, {**WHY, "start": "next"}, 409), (3, {"start": "next"}, 400)):
        page = await operator.shown(f"/console/partitions/{partition}/resume", fields, status)
        assert 'role="alert"' in page
        assert "Request id" in page
    assert 'value="next"\n checked' in page or 'value="next" checked' in page
    assert api_world.documents.resumptions == {}
    await operator.page("/console/partitions/99", status=404)
    await operator.shown("/console/partitions/99/resume", {**WHY, "start": "next"}, 404)
    assert 'name="start"' not in await operator.page("/console/partitions/0?act=resume")


async def test_a_shipment_is_quarantined_and_released_with_a_second_look(
    operator: Console, api_world: ApiWorld
) -> None:
    assert "No shipment is in quarantine." in await operator.page("/console/quarantine")
    typed = NUMBER.lower()
    page = await operator.page(f"/console/quarantine?act=add&tracking_number={typed}&reason=%3Cb%3E")
    assert "There is no such shipment yet." in page
    assert "&lt;b&gt;" in page
    response = await operator.post("/console/quarantine/add", {"tracking_number": typed, "reason": "<b>"})
    assert (response.status, response.headers["Location"]) == (303, "/console/quarantine?notice=quarantined")
    assert rows(await operator.page("/console/quarantine")) == [NUMBER]
    api_world.documents.dead_letters["dl_0_1"] = dead_letter(1)
    page = await operator.page(f"/console/quarantine?act=release&tracking_number={NUMBER}")
    assert "One dead letter of it stays open until you replay it." in page
    response = await operator.post("/console/quarantine/release", {"tracking_number": NUMBER})
    assert response.status == 303
    assert api_world.documents.quarantined == {}
    page = await operator.shown("/console/quarantine/release", {"tracking_number": NUMBER}, 404)
    assert "is not quarantined" in page


async def test_a_number_that_is_none_is_said_before_the_second_look(operator: Console) -> None:
    page = await operator.page("/console/quarantine?act=add&tracking_number=nonsense&reason=x", status=400)
    assert 'role="alert"' in page
    assert 'value="nonsense"' in page


async def test_actions_are_listed_with_links_to_their_targets(operator: Console) -> None:
    assert "No action matches." in await operator.page("/console/actions")
    await operator.post("/console/quarantine/add", {"tracking_number": NUMBER, "reason": "its events"})
    page = await operator.page("/console/actions?action=key.quarantined")
    assert "One action" in page
    assert f'href="/console/shipments/{NUMBER}"' in page
    assert "No action matches." in await operator.page("/console/actions?by=nobody")
    page = await operator.page("/console/actions?action=nonsense", status=400)
    assert 'role="alert"' in page


@pytest.mark.parametrize(
    ("typed", "target"),
    [
        (" 99m-0000000000ab ", None),
        ("evt_99M-1_01_abc", "/console/events/evt_99M-1_01_abc"),
        ("dl_3_17", "/console/dead-letters/dl_3_17"),
        ("PO 4711/7", "/console/shipments?reference=PO+4711%2F7"),
        ("//evil.example", "/console/shipments?reference=%2F%2Fevil.example"),
        ("", "/console/shipments"),
        (NUMBER.lower(), f"/console/shipments/{NUMBER}"),
    ],
)
async def test_search_leads_to_the_page_of_what_was_typed(
    operator: Console, typed: str, target: str | None
) -> None:
    response = await operator.client.get("/console/search", params={"q": typed}, allow_redirects=False)
    assert response.status == 303
    assert target is None or response.headers["Location"] == target
    assert response.headers["Location"].startswith("/console/shipments") or target is not None


async def test_an_event_says_its_outcome_and_its_place(console: Console, api_world: ApiWorld) -> None:
    early = report(Status.DELIVERED)
    fence = await api_world.store.acquire("shipments.events/0", owner="test", end_offset=ends_at(0))
    plan = plan_for(consumed_all(creation(), early))
    await api_world.store.commit([(fence, plan)], recorded_at=RECORDED_AT)
    await console.log_in()
    page = await console.page(f"/console/events/{early.event_id}")
    assert "INVALID_TRANSITION" in page
    assert 'href="/console/partitions/0"' in page
    await console.page("/console/events/evt_nothing", status=404)
    await console.log_in(CLIENT)
    page = await console.page(f"/console/events/{early.event_id}")
    assert 'href="/console/partitions/0"' not in page


async def test_the_start_of_an_operator_is_the_overview(operator: Console) -> None:
    response = await operator.get("/console")
    assert response.headers["Location"] == "/console/overview"


async def test_pages_have_every_language(operator: Console, api_world: ApiWorld) -> None:
    api_world.documents.dead_letters["dl_0_1"] = dead_letter(1, tracking_number=number(1))
    for path, words in {
        "/console/dead-letters": ("Mensajes fallidos", "Mensagens com falha"),
        "/console/partitions": ("Particiones", "Partições"),
        "/console/quarantine": ("Cuarentena", "Quarentena"),
        "/console/actions": ("Acciones", "Ações"),
    }.items():
        for language, word in zip(("es", "pt"), words, strict=True):
            page = await operator.page(f"{path}?lang={language}")
            assert f"<h1>{word}</h1>" in page
