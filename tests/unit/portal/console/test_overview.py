"""The overview: one line that says whether all is well, and what is not."""

import time

from domain.errors import StoreUnavailable
from domain.ports.core import Fence
from domain.processing.halts import Halt
from httpkit.server.health import State
from portal.console.metrics.figures import Figures, Point, Quantity
from portal.console.metrics.source import FIGURES
from tests.support.builders import NOON, dead_letter
from tests.support.fakes.shipments import StoredPartitionState
from tests.unit.portal.console.conftest import Console
from tests.unit.query_api.conftest import CLIENT
from tests.unit.query_api.conftest import World as ApiWorld

PATH = "/console/overview"


def show(console: Console, figures: Figures) -> None:
    """Let the overview have these figures."""

    class Fixed:
        async def figures(self) -> Figures:
            return figures

    console.client.app._state[FIGURES] = Fixed()  # noqa: SLF001  # a started app is frozen


def halt(world: ApiWorld) -> None:
    name = "shipments.events/3"
    world.documents.fences[name] = Fence(name, 1, 10)
    world.documents.partition_states[name] = StoredPartitionState(owner="p", halt=Halt("poison", NOON))


async def test_all_is_well_and_what_is_not_measured_is_unknown(operator: Console) -> None:
    page = await operator.page(PATH)
    assert "All well" in page
    assert page.count('<span class="value">unknown</span>') == 5
    assert "not measured" in page
    assert "neither PORTAL_PROMETHEUS_URL nor PORTAL_METRICS_TARGETS is set" in page


async def test_nothing_that_happened_is_zero_and_latency_of_nothing_is_unknown(operator: Console) -> None:
    now = time.time()
    idle = [Point(now - 5, 0.0)]
    known = dict.fromkeys((Quantity.ACCEPTED, Quantity.APPLIED, Quantity.LAG), idle)
    for since, why in ((now - 5, "being measured"), (now - 60, "no events in the last minute")):
        show(operator, Figures(known, since=since, source="services"))
        page = await operator.page(PATH)
        assert page.count('<span class="value">0 <small>') == 3
        assert page.count('<span class="value">unknown</span>') == 2
        assert page.count(why) == 2
        assert "Nothing to draw since" in page


async def test_each_trouble_leads_to_the_page_that_fixes_it(operator: Console, api_world: ApiWorld) -> None:
    halt(api_world)
    api_world.documents.dead_letters["dl_0_1"] = dead_letter(1)
    api_world.event_queue = State.DOWN
    api_world.probes["cache"] = State.DEGRADED
    page = await operator.page(PATH)
    assert "Not all is well" in page
    assert '<a id="trouble-halted" href="/console/partitions">One partition is halted</a>' in page
    assert '<a id="trouble-dead" href="/console/dead-letters">One dead letter is open</a>' in page
    assert "wait too long to be applied" in page
    assert "Redis does not respond" in page


async def test_what_the_api_cannot_say_is_unknown_and_never_zero(
    operator: Console, api_world: ApiWorld
) -> None:
    async def broken() -> None:
        raise StoreUnavailable("MongoDB is away")

    api_world.partitions.partitions = broken  # type: ignore[method-assign,assignment]
    page = await operator.page(PATH)
    assert "Not all is well" in page
    assert "Halted partitions are unknown: temporarily unavailable" in page
    assert page.count('<span class="value">unknown</span>') == 6


async def test_the_live_part_is_no_page_of_its_own(console: Console, operator: Console) -> None:
    part = await operator.page(f"{PATH}/live?lang=es")
    assert "<html" not in part
    assert "Todo bien" in part
    console.client.session.cookie_jar.clear()
    response = await console.get(f"{PATH}/live", headers={"HX-Request": "true"})
    assert (response.status, response.headers["HX-Redirect"]) == (401, "/console/login")


async def test_clients_have_no_overview(console: Console) -> None:
    await console.log_in(CLIENT)
    for path in (PATH, f"{PATH}/live"):
        await console.page(path, status=403)
