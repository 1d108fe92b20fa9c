"""GET /operator-actions."""

from datetime import timedelta

import pytest

from domain.access.operator_actions import ActionKind, OperatorAction, action_id
from domain.access.permissions import Principal
from tests.support.builders import NOON
from tests.unit.query_api.conftest import CLIENT, DRIVER, Api, World


@pytest.fixture(autouse=True)
async def actions(world: World) -> None:
    for index, kind in enumerate((ActionKind.DEAD_LETTER_DISCARDED, ActionKind.PARTITION_RESUMED)):
        await world.actions.note(
            OperatorAction(
                id=action_id(kind, str(index)),
                at=NOON + timedelta(minutes=index),
                by=f"admin_{index}",
                action=kind,
                target=("dl_0_1", "shipments.events/3")[index],
                reason="nobody needs it" if index else None,
                details={"offset": index},
            )
        )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["admin_1", "admin_0"]),
        ("action=partition.resumed", ["admin_1"]),
        ("target=dl_0_1", ["admin_0"]),
        ("target=shipments.events/3", ["admin_1"]),
        ("by=admin_0", ["admin_0"]),
        ("from=2026-03-01T12:01:00Z", ["admin_1"]),
        ("limit=1&offset=1", ["admin_0"]),
    ],
)
async def test_operator_actions_are_listed_newest_first(api: Api, query: str, expected: list[str]) -> None:
    body = await (await api.get(f"/operator-actions?{query}")).json()
    assert [action["by"] for action in body["data"]] == expected


async def test_an_action_is_shown_whole(api: Api) -> None:
    [action] = (await (await api.get("/operator-actions?by=admin_1")).json())["data"]
    assert action.pop("id").startswith("act_")
    assert action == {
        "at": "2026-03-01T12:01:00.000Z",
        "by": "admin_1",
        "action": "partition.resumed",
        "target": "shipments.events/3",
        "reason": "nobody needs it",
        "details": {"offset": 1},
    }


@pytest.mark.parametrize("who", [CLIENT, DRIVER])
async def test_only_admins_list_operator_actions(api: Api, who: Principal) -> None:
    assert (await api.get("/operator-actions", who)).status == 403


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("action=dead_letter.eaten", "/action"), ("target=", "/target"), ("to=now", "/to"), ("x=1", "/x")],
)
async def test_invalid_query_of_operator_actions_is_400(api: Api, query: str, pointer: str) -> None:
    response = await api.get(f"/operator-actions?{query}")
    assert (response.status, (await response.json())["details"][0]["pointer"]) == (400, pointer)
