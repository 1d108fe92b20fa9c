"""GET /shipments and GET /shipments/{tracking_number}."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from domain.access.permissions import Principal
from domain.errors import StoreUnavailable
from domain.shipments.commands import Command
from domain.shipments.status import Status
from tests.support.builders import (
    NOON,
    NUMBER,
    RECORDED_AT,
    consumed_all,
    creation,
    ends_at,
    number,
    plan_for,
    report,
)
from tests.unit.query_api.conftest import ADMIN, CLIENT, DRIVER, OTHER_CLIENT, Api, World


async def store(world: World, commands: Sequence[Command]) -> None:
    fence = await world.store.acquire("shipments.events/0", owner="test", end_offset=ends_at(0))
    await world.store.commit([(fence, plan_for(consumed_all(*commands)))], recorded_at=RECORDED_AT)


@pytest.fixture
async def shipment(world: World) -> str:
    await store(world, [creation(), report(Status.PICKED_UP, notes="at the door")])
    return f"/shipments/{NUMBER}"


@pytest.fixture
async def many(world: World) -> None:
    """Twelve shipments, a minute apart: the even ones of client_001, the odd ones of client_002."""
    commands: list[Command] = []
    for index in range(12):
        client_id = f"client_00{1 + index % 2}"
        commands.append(creation(number(index), client_id=client_id, at=NOON + timedelta(minutes=index)))
    commands += [report(Status.PICKED_UP, number(index)) for index in range(0, 12, 3)]
    await store(world, commands)


@pytest.mark.parametrize("who", [ADMIN, CLIENT])
async def test_a_shipment_is_shown_with_its_history(api: Api, shipment: str, who: Principal) -> None:
    response = await api.get(shipment, who)
    body = await response.json()
    assert response.status == 200
    assert (body["tracking_number"], body["current_status"]) == (NUMBER, "picked_up")
    assert (body["created_at"], body["updated_at"]) == (
        "2026-03-01T12:00:00.000Z",
        "2026-03-01T13:00:00.000Z",
    )
    assert [entry["status"] for entry in body["status_history"]] == ["created", "picked_up"]
    assert body["status_history"][1]["notes"] == "at the door"
    assert "_id" not in body


async def test_a_shipment_of_another_client_is_403(api: Api, shipment: str) -> None:
    response = await api.get(shipment, OTHER_CLIENT)
    assert (response.status, (await response.json())["error"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize("path", ["/shipments", f"/shipments/{NUMBER}"])
async def test_producers_read_no_shipments(api: Api, path: str) -> None:
    assert (await api.get(path, DRIVER)).status == 403


@pytest.mark.parametrize(
    "text",
    [
        number(7),
        "99M-123",
        NUMBER[:-1] + "!",
        f"{NUMBER.lower()}x",
        "%00",
        "é",
    ],
)
async def test_unknown_tracking_number_is_404(api: Api, text: str) -> None:
    response = await api.get(f"/shipments/{text}")
    assert (response.status, (await response.json())["error"]) == (404, "SHIPMENT_NOT_FOUND")


async def test_known_version_is_304(api: Api, shipment: str) -> None:
    first = await api.get(shipment)
    assert first.headers["ETag"] == '"v2"'
    assert first.headers["Cache-Control"] == "private, no-cache"
    for known in ('"v2"', 'W/"v2"', '"v1", "v2"', "*", 'W/"v2-gzip"', '"v1-gzip", "v2-zstd"'):
        again = await api.get(shipment, headers={"If-None-Match": known})
        assert (again.status, again.headers["ETag"], await again.read()) == (304, '"v2"', b"")
    for unknown in ('"v1"', '"v22"', '"v1-gzip"', '"v2-br"', "v2", "rubbish", ""):
        assert (await api.get(shipment, headers={"If-None-Match": unknown})).status == 200


async def test_entity_tag_does_not_reveal_another_clients_shipment(api: Api, shipment: str) -> None:
    assert (await api.get(shipment, OTHER_CLIENT, headers={"If-None-Match": '"v2"'})).status == 403


async def numbers(api: Api, path: str, who: Principal = ADMIN) -> tuple[list[str], dict[str, Any]]:
    response = await api.get(path, who)
    assert response.status == 200
    body = await response.json()
    return [each["tracking_number"] for each in body["data"]], body["pagination"]


@pytest.mark.usefixtures("many")
async def test_a_list_is_newest_first_and_paged(api: Api) -> None:
    first, pagination = await numbers(api, "/shipments")
    assert first == [number(index) for index in range(11, 1, -1)]
    assert pagination.pop("next_cursor")
    assert pagination == {"total": 12, "limit": 10, "offset": 0, "has_next": True}
    rest, pagination = await numbers(api, "/shipments?offset=10&limit=2")
    assert rest == [number(1), number(0)]
    assert pagination == {"total": 12, "limit": 2, "offset": 10, "has_next": False, "next_cursor": None}
    assert await numbers(api, "/shipments?offset=500") == (
        [],
        {"total": 12, "limit": 10, "offset": 500, "has_next": False, "next_cursor": None},
    )


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    ("query", "who", "expected"),
    [
        ("status=picked_up", ADMIN, [9, 6, 3, 0]),
        ("client_id=client_002", ADMIN, [11, 9, 7, 5, 3, 1]),
        ("client_id=client_002&status=picked_up", ADMIN, [9, 3]),
        ("client_id=nobody", ADMIN, []),
        ("", CLIENT, [10, 8, 6, 4, 2, 0]),
        ("client_id=client_001", CLIENT, [10, 8, 6, 4, 2, 0]),
        ("status=picked_up", CLIENT, [6, 0]),
    ],
)
async def test_a_list_is_filtered(api: Api, query: str, who: Principal, expected: list[int]) -> None:
    found, pagination = await numbers(api, f"/shipments?{query}", who)
    assert found == [number(index) for index in expected]
    assert pagination["total"] == len(expected)


async def test_list_has_the_same_fields_as_a_single_shipment(api: Api, shipment: str) -> None:
    alone = await (await api.get(shipment)).json()
    assert (await (await api.get("/shipments")).json())["data"] == [alone]


async def test_client_may_not_filter_by_another_client(api: Api) -> None:
    response = await api.get("/shipments?client_id=client_002", CLIENT)
    assert (response.status, (await response.json())["error"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=101", "/limit"),
        ("limit=ten", "/limit"),
        ("limit=", "/limit"),
        ("limit=99999999999999999999", "/limit"),
        ("offset=-1", "/offset"),
        ("offset=99999999999999999999", "/offset"),
        ("status=lost", "/status"),
        ("status=", "/status"),
        ("client_id=", "/client_id"),
        ("client_id[$ne]=x", "/client_id[$ne]"),
        ("colour=red", "/colour"),
        ("limit=1&limit=2", "/limit"),
    ],
)
async def test_invalid_query_is_400(api: Api, query: str, pointer: str) -> None:
    response = await api.get(f"/shipments?{query}")
    body = await response.json()
    assert (response.status, body["error"]) == (400, "VALIDATION_ERROR")
    assert [detail["pointer"] for detail in body["details"]] == [pointer]


@pytest.mark.parametrize(("call", "path"), [("get", f"/shipments/{NUMBER}"), ("page", "/shipments")])
async def test_unavailable_store_is_503(api: Api, world: World, call: str, path: str) -> None:
    world.shipments.fail_next(call, StoreUnavailable("MongoDB is away"))
    response = await api.get(path)
    assert (response.status, response.headers["Retry-After"]) == (503, "1")
    assert (await response.json())["error"] == "SERVICE_UNAVAILABLE"
