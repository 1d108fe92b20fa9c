"""GET /public/shipments/{tracking_number}: what it shows, and the one answer for what is not there."""

from collections import defaultdict

import pytest

from domain.shipments.status import Status
from httpkit.budgets import Budget
from query_api.routes import ROUTES
from tests.support.absent import DIFFERING, MISSING, NOT_THERE, without_time
from tests.support.builders import NUMBER, checkpoint, creation, report
from tests.unit.query_api.conftest import Api, World
from tests.unit.query_api.test_shipments import store

ABSENT = (
    '{"error":"SHIPMENT_NOT_FOUND","message":"there is no such shipment","status_code":404,"timestamp":""}\n'
)


@pytest.fixture
async def shipment(world: World) -> str:
    picked_up = report(Status.PICKED_UP, notes="left with Ana", source="driver-017")
    await store(world, [creation(), picked_up, checkpoint("on_hold")])
    return f"/public/shipments/{NUMBER}"


async def test_the_view_has_steps_and_nothing_else(api: Api, shipment: str) -> None:
    response = await api.get(shipment, who=None)
    assert response.status == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Robots-Tag"] == "noindex"
    body = await response.json()
    assert list(body) == ["tracking_number", "current_status", "steps", "updated_at"]
    assert (body["tracking_number"], body["current_status"]) == (NUMBER, "picked_up")
    assert [list(step) for step in body["steps"]] == [
        ["status", "timestamp"],
        ["status", "timestamp"],
        ["status", "checkpoint", "timestamp"],
    ]
    assert [step["status"] for step in body["steps"]] == ["created", "picked_up", "picked_up"]
    assert body["steps"][2]["checkpoint"] == "on_hold"


async def test_a_number_is_read_as_people_write_it(api: Api, shipment: str) -> None:
    for written in (shipment.replace(NUMBER, NUMBER.lower()), f"{shipment}?"):
        assert (await (await api.get(written, who=None)).json())["tracking_number"] == NUMBER


@pytest.mark.usefixtures("shipment")
async def test_whatever_is_not_there_has_one_answer_byte_for_byte(api: Api) -> None:
    answers = defaultdict(list)
    for name, typed in NOT_THERE.items():
        response = await api.get(f"/public/shipments/{typed}", who=None)
        headers = sorted(each for each in response.headers.items() if each[0].lower() not in DIFFERING)
        answers[response.status, without_time(await response.text()), tuple(headers)].append(name)
    assert list(answers.values()) == [list(NOT_THERE)]
    [(status, body, shown)] = answers
    assert status == 404
    assert body == ABSENT
    assert {("Cache-Control", "no-store"), ("X-Robots-Tag", "noindex")} <= set(shown)


async def test_a_query_is_rejected_alike_for_what_is_there_and_what_is_not(api: Api, shipment: str) -> None:
    known = await api.get(f"{shipment}?x=1", who=None)
    unknown = await api.get(f"/public/shipments/{MISSING}?x=1", who=None)
    assert (known.status, unknown.status) == (400, 400)
    assert without_time(await known.text()) == without_time(await unknown.text())


async def test_an_address_finds_sixty_times_nothing_in_a_minute(api: Api, shipment: str) -> None:
    missing = [(await api.get(f"/public/shipments/{MISSING}", who=None)).status for _ in range(61)]
    assert missing[:59] == [404] * 59  # one a second becomes free meanwhile
    assert missing[-1] in {404, 429}
    drained = [(await api.get(f"/public/shipments/{MISSING}", who=None)).status for _ in range(10)]
    assert 429 in drained
    refused = await api.get(shipment, who=None)
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) >= 1


def test_every_public_route_has_the_public_budget() -> None:
    budgets = {route.path: route.budget for route in ROUTES if route.path.startswith("/public/")}
    assert set(budgets.values()) == {Budget.PUBLIC}
