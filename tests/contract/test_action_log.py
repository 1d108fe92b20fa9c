"""`ActionLog`: operators' actions are recorded once, never changed, and listed newest first."""

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Protocol

import pytest

from domain.access.operator_actions import ActionKind, OperatorAction, action_id
from domain.ports.core import ActionLog
from domain.ports.queries import ActionFilter, Period, Window
from tests.contract.walking import walked
from tests.support.builders import NOON
from tests.support.fakes import InMemoryActionLog

KINDS = (ActionKind.DEAD_LETTER_DISCARDED, ActionKind.PARTITION_RESUMED)
WHO = ("ana", "luis", "eva")
ACTIONS = [
    OperatorAction(
        id=action_id(KINDS[index % 2], str(index)),
        at=NOON + timedelta(minutes=index // 2),
        by=WHO[index % 3],
        action=KINDS[index % 2],
        target=f"dl_0_{index // 3}",
        reason=None if index % 2 else "nobody needs it",
        details={"partition": index, "topic": "shipments.events", "forced": True, "before": None},
    )
    for index in range(6)
]


class Noting(ActionLog, Protocol):
    """Recorder of actions within transactions."""

    async def note(self, action: OperatorAction) -> bool: ...


@pytest.fixture(params=["memory", pytest.param("mongo", marks=pytest.mark.stack)])
def log(request: pytest.FixtureRequest) -> Noting:
    if request.param == "memory":
        return InMemoryActionLog()
    from storage.mongo.operations.operator_actions import MongoActionLog  # noqa: PLC0415  # only with the stack

    return MongoActionLog(request.getfixturevalue("database"))


async def test_an_action_is_read_as_it_was_noted_and_stays_so(log: Noting) -> None:
    assert await log.note(ACTIONS[0])
    assert not await log.note(replace(ACTIONS[0], by="somebody else", reason="another"))
    page = await log.page(ActionFilter(), Window(limit=10))
    assert page.data == [asdict(ACTIONS[0])]


@pytest.mark.parametrize(
    ("matching", "expected"),
    [
        (ActionFilter(), [0, 1, 2, 3, 4, 5]),
        (ActionFilter(action=ActionKind.PARTITION_RESUMED), [1, 3, 5]),
        (ActionFilter(action=ActionKind.KEY_RELEASED), []),
        (ActionFilter(target="dl_0_1"), [3, 4, 5]),
        (ActionFilter(by="ana"), [0, 3]),
        (ActionFilter(by="ana", target="dl_0_1"), [3]),
        (ActionFilter(done=Period(start=NOON + timedelta(minutes=1))), [2, 3, 4, 5]),
        (ActionFilter(done=Period(end=NOON + timedelta(minutes=1))), [0, 1]),
    ],
)
async def test_filters_and_walks(log: Noting, matching: ActionFilter, expected: list[int]) -> None:
    for action in ACTIONS:
        await log.note(action)
    wanted = [
        each.id
        for each in sorted(ACTIONS, key=lambda each: (each.at, each.id), reverse=True)
        if ACTIONS.index(each) in expected
    ]
    page = await log.page(matching, Window(limit=100))
    assert ([each["id"] for each in page.data], page.total, page.last) == (wanted, len(wanted), None)
    actions = await walked(lambda window: log.page(matching, window), total=len(wanted))
    assert [each["id"] for each in actions] == wanted
