"""Foreign text is shown as it is: it neither formats nor controls the terminal, wherever it stands."""

import json

import pytest

from tests.unit.clients.command.bodies import ACTION, LISTED_PARTITION, PARTITION, QUARANTINED, dead_letter
from tests.unit.clients.command.conftest import Run
from tests.unit.clients.command.stand_in import Json, StandIn, page, refusal
from waybill.cli.literal import literal

HOSTILE = "[/x] [ops-12] [bold]b[/] :smile: \x1b]0;title\x07\x1b[2J \x9b31m a\nb \u202egnp.exe \ud800 Zoë 📦"
SHOWN = (
    "[/x] [ops-12] [bold]b[/] :smile: \\u001b]0;title\\u0007\\u001b[2J \\u009b31m a\\nb "
    "\\u202egnp.exe \\ud800 Zoë 📦"
)
UNKNOWN = HOSTILE.replace("\ud800", "")  # a name is text
HOSTILE_ACTION: Json = ACTION | {"by": HOSTILE, "reason": HOSTILE, "details": {HOSTILE: HOSTILE}}


def test_only_control_characters_are_escaped() -> None:
    assert literal(HOSTILE) == SHOWN


def test_json_stays_equal() -> None:
    assert json.loads(literal(json.dumps([HOSTILE], ensure_ascii=False))) == [HOSTILE]


@pytest.mark.parametrize(
    ("command", "response"),
    [
        (("actions", "list"), page(HOSTILE_ACTION)),
        (("dead-letters", "list"), page(dead_letter(0) | {"error": HOSTILE})),
        (("partitions", "list"), (200, {"data": [LISTED_PARTITION | {"reason": HOSTILE}]})),
        (("partitions", "resume", "7", "--reason", "x"), (202, PARTITION | {"reason": HOSTILE})),
        (("quarantine", "list"), (200, {"data": [QUARANTINED | {"reason": HOSTILE}]})),
        (("quarantine", "add", "99M-1", "--reason", "x"), (200, QUARANTINED | {UNKNOWN: HOSTILE})),
    ],
)
def test_every_table_shows_it_literally(
    waybill: StandIn, ops: Run, command: tuple[str, ...], response: tuple[int, Json]
) -> None:
    waybill.responses.append(response)
    ended = ops(*command)
    assert (ended.code, ended.err) == (0, "")
    folded = "".join(part for line in ended.out.splitlines() for part in line.split())
    assert "".join(SHOWN.split())[:30] in folded
    assert all(character == "\n" or character.isprintable() for character in ended.out)


def test_errors_and_json_show_it_literally(waybill: StandIn, ops: Run) -> None:
    waybill.responses += [refusal(409, "CONFLICT", HOSTILE), page(HOSTILE_ACTION)]
    assert ops("dead-letters", "show", "dl_0_1").err == f"error: {SHOWN} (CONFLICT)\n"
    ended = ops("actions", "list", "--json")
    assert SHOWN in ended.out
    assert ended.json == [HOSTILE_ACTION]
