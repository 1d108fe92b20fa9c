"""Addresses, forms and services of people who mean harm, or of another version."""

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from domain.ports.core import Fence
from portal.console.api import ApiRejected, path_to
from portal.console.metrics.figures import Quantity
from portal.console.metrics.sampler import Sampler
from query_api.handlers import partitions
from tests.support.builders import NUMBER
from tests.support.fakes.shipments import StoredPartitionState
from tests.unit.portal.console.conftest import Console
from tests.unit.portal.console.test_figures import TEXT
from tests.unit.query_api.conftest import World as ApiWorld

ODD = (
    "%FF",
    "%ED%A0%80",
    "%00",
    "%2E%2E",
    "%2E",
    "%2E%2E%2Fauth%2Fusers",
    "a%2Fb",
    "%0D%0AX:1",
    "%F0%9F%92%A9",
)


@pytest.mark.parametrize("odd", ODD)
async def test_odd_names_are_not_found_and_never_an_error_of_ours(operator: Console, odd: str) -> None:
    for path in ("/console/dead-letters/{}", "/console/events/{}"):
        response = await operator.client.get(URL(path.format(odd), encoded=True), allow_redirects=False)
        assert response.status == 404, path
        assert "text/html" in response.headers["Content-Type"]


@pytest.mark.parametrize("odd", ODD)
async def test_odd_queries_are_rejected_or_match_nothing(operator: Console, odd: str) -> None:
    for path in (
        "/console/dead-letters?tracking_number={}",
        "/console/dead-letters?reason={}",
        "/console/dead-letters?cursor={}",
        "/console/dead-letters?act=replay&id={}",
        "/console/actions?target={}",
        "/console/quarantine?act=add&reason=x&tracking_number={}",
        "/console/partitions?sort={}",
        "/console/search?q={}",
        "/console/login?next={}",
    ):
        response = await operator.client.get(URL(path.format(odd), encoded=True), allow_redirects=False)
        assert response.status in (200, 303, 400, 404), path
        assert "X" not in response.headers


@pytest.mark.parametrize("number", ["..", ".", "../users", "\0", "99M-", "é", ""])
async def test_a_form_reaches_no_other_route_of_the_api(
    operator: Console, api_world: ApiWorld, number: str
) -> None:
    for act in ("add", "release"):
        form = {"tracking_number": number, "reason": "x"}
        response = await operator.post(f"/console/quarantine/{act}", form)
        assert response.status in (400, 404, 405)
    assert api_world.documents.quarantined == {}
    page = await operator.shown("/console/dead-letters/discard", {"id": number, "why": "x"}, status=404)
    assert "Not found" in page


@pytest.mark.parametrize("dots", [".", ".."])
def test_a_path_leads_nowhere_else(dots: str) -> None:
    with pytest.raises(ApiRejected):
        path_to("dead-letters", dots, "discard")
    assert path_to("a/b", "é?#%", "\udcff") == "/a%2Fb/%C3%A9%3F%23%25/%3F"


async def test_forms_that_are_none_are_rejected(operator: Console) -> None:
    path = "/console/quarantine/add"
    origin = {"Origin": operator.origin}
    json_form = await operator.client.post(path, json={"tracking_number": NUMBER}, headers=origin)
    assert json_form.status == 415
    unknown = await operator.post(path, {"tracking_number": NUMBER, "reason": "x", "admin": "1"})
    assert unknown.status == 400
    twice = await operator.post(path, {"tracking_number": [NUMBER, NUMBER], "reason": "x"})
    assert twice.status == 400
    many = await operator.post(
        "/console/dead-letters/replay", {"id": [f"dl_0_{each}" for each in range(101)]}
    )
    assert many.status == 400


async def test_a_query_api_of_the_version_before_leaves_depths_unknown(
    operator: Console, api_world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "shipments.events/0"
    api_world.documents.fences[name] = Fence(name, 1, 10)
    api_world.documents.partition_states[name] = StoredPartitionState(owner="p", halt=None)
    monkeypatch.setattr(partitions, "_waiting_to_json", lambda _waiting: {})
    assert "unknown" in await operator.page("/console/partitions")
    assert "unknown" in await operator.page("/console/partitions/0")


async def test_metrics_that_come_in_pieces_are_read_whole_and_endless_ones_not() -> None:
    async def pieces(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for line in TEXT.format(accepted=5, applied=4).splitlines(keepends=True):
            await response.write(line.encode())
        return response

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b"# HELP x y\n" * 10_000)
        return response

    for handler, lag in ((pieces, 7.0), (endless, None)):
        app = web.Application()
        app.router.add_get("/metrics", handler)
        async with TestServer(app) as server, aiohttp.ClientSession() as session:
            target = f"127.0.0.1:{server.port}"
            figures = await Sampler([target], session).figures()
            assert [each.value for each in figures.of(Quantity.LAG)] == [lag]
            assert figures.problems == (() if lag else (f"{target} does not respond",))
