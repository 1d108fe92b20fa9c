"""Halted partitions and quarantined shipments."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest

from domain.access.permissions import Principal
from domain.errors import StoreUnavailable
from domain.ports.core import Fence
from domain.processing.halts import Halt, PartitionView, Quarantined, Resumption, Start
from messaging.backlog import Waiting
from query_api.handlers import partitions
from query_api.partition_depths import PartitionDepths
from tests.support.builders import NOON, NUMBER, number
from tests.support.fakes.shipments import StoredPartitionState
from tests.unit.query_api.conftest import CLIENT, DRIVER, Api, World

WHY = {"reason": "the old version is back"}
HALT = Halt("100 dead letters in a row", NOON, skip_to=104)
GAP = Halt("offset 10 is no longer in the log", NOON + timedelta(hours=1), is_gap=True)


@pytest.fixture(autouse=True)
def halted_partitions(world: World) -> None:
    for partition, halt in {0: None, 3: HALT, 5: GAP}.items():
        name = f"shipments.events/{partition}"
        world.documents.fences[name] = Fence(name, 4, 100 + partition)
        world.documents.partition_states[name] = StoredPartitionState(
            owner=f"processor-{partition}", halt=halt
        )


async def test_partitions_are_listed_with_their_halts(api: Api) -> None:
    response = await api.get("/partitions")
    shown = (await response.json())["data"]
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert [(each["partition"], each["owner"], each["halted"]) for each in shown] == [
        (0, "processor-0", False),
        (3, "processor-3", True),
        (5, "processor-5", True),
    ]
    assert shown[1] == {
        "topic": "shipments.events",
        "partition": 3,
        "owner": "processor-3",
        "epoch": 4,
        "next_offset": 103,
        "halted": True,
        "reason": HALT.problem,
        "since": "2026-03-01T12:00:00.000Z",
        "resume_from": "committed",
        "skip_to": HALT.skip_to,
        "resumption": None,
        "lag": None,
        "oldest_waiting_at": None,
    }
    assert [each["resume_from"] for each in shown] == [None, "committed", "earliest"]


async def test_list_says_what_waits_where_it_is_known(api: Api, world: World) -> None:
    world.depths = {"shipments.events/0": Waiting(0, None), "shipments.events/3": Waiting(164, NOON)}
    shown = (await (await api.get("/partitions")).json())["data"]
    assert [(each["lag"], each["oldest_waiting_at"]) for each in shown] == [
        (0, None),
        (164, "2026-03-01T12:00:00.000Z"),
        (None, None),
    ]


async def test_depths_are_shared_for_a_second_and_unknown_without_kafka() -> None:
    now, asked = [0.0], []

    class Topic:
        async def depths(self, applied: Mapping[str, int]) -> Mapping[str, Waiting]:
            asked.append(applied)
            if len(asked) > 1:
                raise StoreUnavailable("Kafka is away")
            return {"log/0": Waiting(2, NOON)}

    depths = PartitionDepths(Topic(), clock=lambda: now[0])
    views = [
        PartitionView(topic="log", number=0, owner="p", epoch=1, next_offset=7, halt=None, resumption=None)
    ]
    for shown in await asyncio.gather(depths.of(views), depths.of(views)):
        assert shown == {"log/0": Waiting(2, NOON)}
    assert asked == [{"log/0": 7}]
    now[0] = 1.0
    assert await depths.of(views) == {}
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("partition", "body", "halt"),
    [
        (3, WHY, HALT),
        (3, WHY | {"from": "committed"}, HALT),
        (3, WHY | {"from": "next"}, HALT),
        (5, WHY | {"from": "earliest"}, GAP),
    ],
)
async def test_request_to_resume_is_stored_for_the_owner_and_logged(
    api: Api, world: World, partition: int, body: dict[str, str], halt: Halt
) -> None:
    response = await api.ask("POST", f"/partitions/{partition}/resume", body)
    shown = await response.json()
    assert response.status == 202, shown
    left = world.documents.resumptions[f"shipments.events/{partition}"]
    assert left == Resumption(
        halted_since=halt.since,
        start=Start(body.get("from", "committed")),
        reason=WHY["reason"],
        requested_by="admin_user",
        requested_at=left.requested_at,
    )
    assert shown["resumption"].items() >= {"from": left.start, "requested_by": "admin_user"}.items()
    listed = (await (await api.get("/partitions")).json())["data"]
    assert any(shown.items() <= each.items() for each in listed)
    [action] = world.documents.actions.values()
    assert (action["target"], action["reason"]) == (f"shipments.events/{partition}", WHY["reason"])


@pytest.mark.parametrize(
    ("partition", "body", "status", "code"),
    [
        ("0", WHY, 409, "CANNOT_RESUME"),
        ("3", WHY | {"from": "earliest"}, 409, "CANNOT_RESUME"),
        ("5", WHY, 409, "CANNOT_RESUME"),
        ("1", WHY, 404, "NOT_FOUND"),
        ("9" * 5000, WHY, 404, "NOT_FOUND"),
        ("x", WHY, 404, "NOT_FOUND"),
        ("3", {}, 400, "VALIDATION_ERROR"),
        ("3", {"reason": " "}, 400, "VALIDATION_ERROR"),
        ("3", WHY | {"from": "latest"}, 400, "VALIDATION_ERROR"),
        ("3", WHY | {"start": "committed"}, 400, "VALIDATION_ERROR"),
    ],
)
async def test_partition_that_cannot_resume_is_409(
    api: Api, world: World, partition: str, body: dict[str, str], status: int, code: str
) -> None:
    response = await api.ask("POST", f"/partitions/{partition}/resume", body)
    assert (response.status, (await response.json())["error"]) == (status, code)
    assert (world.documents.resumptions, world.documents.actions) == ({}, {})


async def test_shipment_is_quarantined_listed_and_released(api: Api, world: World) -> None:
    response = await api.ask("PUT", f"/quarantine/{NUMBER}", WHY)
    entry = await response.json()
    assert response.status == 200
    assert entry.items() >= {"tracking_number": NUMBER, "requested_by": "admin_user", **WHY}.items()
    assert (await (await api.get("/quarantine")).json())["data"] == [entry]
    assert (await api.ask("DELETE", f"/quarantine/{NUMBER}")).status == 204
    again = await api.ask("DELETE", f"/quarantine/{NUMBER}")
    assert (again.status, (await again.json())["error"]) == (404, "NOT_FOUND")
    assert (await (await api.get("/quarantine")).json())["data"] == []
    assert [action["action"] for action in world.documents.actions.values()] == [
        "key.quarantined",
        "key.released",
    ]


async def test_number_of_quarantined_shipments_is_bounded(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "MOST_QUARANTINED", 1)
    entry = Quarantined(tracking_number=number(1), reason="a bug", since=NOON, requested_by="admin_user")
    world.documents.quarantined[number(1)] = entry
    response = await api.ask("PUT", f"/quarantine/{number(2)}", WHY)
    assert (response.status, (await response.json())["error"]) == (409, "QUARANTINE_FULL")
    assert (await api.ask("PUT", f"/quarantine/{number(1)}", WHY)).status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_malformed_tracking_number_is_rejected(api: Api, method: str) -> None:
    response = await api.ask(method, "/quarantine/99M-0", WHY if method == "PUT" else None)
    assert (response.status, (await response.json())["error"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("who", [CLIENT, DRIVER])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/partitions"),
        ("POST", "/partitions/3/resume"),
        ("GET", "/quarantine"),
        ("PUT", f"/quarantine/{NUMBER}"),
        ("DELETE", f"/quarantine/{NUMBER}"),
    ],
)
async def test_only_admins_may_operate_partitions(
    api: Api, world: World, who: Principal, method: str, path: str
) -> None:
    assert (await api.ask(method, path, WHY, who=who)).status == 403
    assert (world.documents.resumptions, world.documents.quarantined) == ({}, {})
