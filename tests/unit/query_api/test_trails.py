"""GET /shipments/{tracking_number}/events."""

from dataclasses import replace
from typing import Any

import pytest

from domain.access.permissions import Principal
from domain.shipments.commands import Command
from domain.shipments.status import Status
from tests.support.builders import (
    NUMBER,
    RECORDED_AT,
    consumed_all,
    creation,
    ends_at,
    number,
    plan_for,
    report,
)
from tests.unit.query_api.conftest import ADMIN, CLIENT, DRIVER, OTHER_CLIENT, Api, World, path_of

PICKED_UP = report(Status.PICKED_UP)
TOO_EARLY = report(Status.DELIVERED, source="scanner-2")
UNKNOWN = number(9)
TRAIL: list[Command] = [creation(), PICKED_UP, TOO_EARLY]
PATH = f"/shipments/{NUMBER}/events"


@pytest.fixture(autouse=True)
async def events(world: World) -> None:
    fence = await world.store.acquire("shipments.events/0", owner="test", end_offset=ends_at(0))
    repeated = [PICKED_UP, replace(PICKED_UP, notes="a contradiction")]
    lost = report(Status.PICKED_UP, UNKNOWN)
    plan = plan_for(consumed_all(*TRAIL, *repeated, lost, creation(number(2))))
    await world.store.commit([(fence, plan)], recorded_at=RECORDED_AT)


async def listed(api: Api, path: str, who: Principal = ADMIN) -> dict[str, Any]:
    response = await api.get(path, who)
    assert response.status == 200, await response.text()
    body: dict[str, Any] = await response.json()
    return body


@pytest.mark.parametrize("who", [ADMIN, CLIENT])
async def test_a_trail_is_shown_oldest_first(api: Api, who: Principal) -> None:
    body = await listed(api, PATH, who)
    assert [event["event_id"] for event in body["data"]] == [each.event_id for each in TRAIL]
    assert [event["outcome"] for event in body["data"]] == ["applied", "applied", "rejected"]
    assert (body["data"][1]["duplicates"], body["data"][1]["conflicts"]) == (1, 1)
    assert [other["notes"] for other in body["data"][1]["other_payloads"]] == ["a contradiction"]
    assert body["data"][2]["reason"] == "INVALID_TRANSITION"
    assert body["pagination"] == {
        "total": 3,
        "limit": 10,
        "offset": 0,
        "has_next": False,
        "next_cursor": None,
    }
    alone = await api.get(f"/events/{PICKED_UP.event_id}", who)
    assert body["data"][1] == await alone.json()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("outcome=rejected", [2]),
        ("status=picked_up", [1]),
        ("source=scanner-2", [2]),
        ("source=api", [0]),
        ("from=2026-03-01T12:00:00Z&to=2026-03-01T12:00:00.001Z", [0]),
        ("offset=1&limit=1", [1]),
        ("outcome=dead", []),
        ("outcome=conflict", [1]),
    ],
)
async def test_trail_is_filtered(api: Api, query: str, expected: list[int]) -> None:
    body = await listed(api, f"{PATH}?{query}")
    assert [event["event_id"] for event in body["data"]] == [TRAIL[index].event_id for index in expected]


async def test_links_walk_through_a_trail(api: Api) -> None:
    path: str | None = f"{PATH}?limit=1"
    walked: list[str] = []
    while path is not None:
        response = await api.get(path, CLIENT)
        walked += [event["event_id"] for event in (await response.json())["data"]]
        path = path_of(response, "next")
    assert walked == [each.event_id for each in TRAIL]


@pytest.mark.parametrize(
    ("who", "path", "status", "code"),
    [
        (OTHER_CLIENT, PATH, 403, "FORBIDDEN"),
        (DRIVER, PATH, 403, "FORBIDDEN"),
        (None, PATH, 401, "AUTHENTICATION_REQUIRED"),
        (CLIENT, f"/shipments/{UNKNOWN}/events", 404, "SHIPMENT_NOT_FOUND"),
        (ADMIN, f"/shipments/{number(8)}/events", 404, "SHIPMENT_NOT_FOUND"),
        (CLIENT, f"/shipments/{number(8)}/events", 404, "SHIPMENT_NOT_FOUND"),
        (ADMIN, "/shipments/99M-1/events", 404, "SHIPMENT_NOT_FOUND"),
    ],
)
async def test_trail_is_readable_only_in_scope(
    api: Api, who: Principal | None, path: str, status: int, code: str
) -> None:
    response = await api.get(path, who)
    assert (response.status, (await response.json())["error"]) == (status, code)


async def test_an_admin_sees_events_of_a_shipment_that_does_not_exist(api: Api) -> None:
    path = f"/shipments/{UNKNOWN}/events"
    body = await listed(api, path)
    assert [event["reason"] for event in body["data"]] == ["SHIPMENT_NOT_FOUND"]
    assert (await listed(api, f"{path}?outcome=applied"))["data"] == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("outcome=lost", "/outcome"),
        ("outcome[$ne]=applied", "/outcome[$ne]"),
        ("status=created,picked_up", "/status"),
        ("source=a%00b", "/source"),
        ("from=yesterday", "/from"),
        ("from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "/to"),
        ("start=2026-03-02T00:00:00Z", "/start"),
        ("limit=0", "/limit"),
    ],
)
async def test_invalid_query_of_a_trail_is_400(api: Api, query: str, pointer: str) -> None:
    response = await api.get(f"{PATH}?{query}")
    assert (response.status, (await response.json())["details"][0]["pointer"]) == (400, pointer)
