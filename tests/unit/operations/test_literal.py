"""Foreign text is shown as it is: it neither formats nor controls the terminal, wherever it stands."""

import json

import pytest

from operations.literal import literal
from tests.unit.operations.conftest import Run
from tests.unit.operations.stand_in import Json, StandIn, page, refusal
from tests.unit.operations.test_dead_letters import dead_letter

HOSTILE = "[/x] [ops-12] [bold]b[/] :smile: \x1b]0;title\x07\x1b[2J \x9b31m a\nb \u202egnp.exe \ud800 Zoë 📦"
SHOWN = (
    "[/x] [ops-12] [bold]b[/] :smile: \\u001b]0;title\\u0007\\u001b[2J \\u009b31m a\\nb "
    "\\u202egnp.exe \\ud800 Zoë 📦"
)
ACTION: Json = {
    "at": "2026-11-02T17:00:00.000Z",
    "by": HOSTILE,
    "action": "dead_letter.discarded",
    "target": "dl_0_0",
    "reason": HOSTILE,
    "details": {HOSTILE: HOSTILE},
}
_SHOWN = ("partition", "owner", "next_offset", "halted", "since", "resume_from", "skip_to")
HALTED: Json = dict.fromkeys(_SHOWN, 1)
SET_ASIDE: Json = dict.fromkeys(("tracking_number", "since", "requested_by"), "x")


def test_only_control_characters_are_escaped() -> None:
    assert literal(HOSTILE) == SHOWN


def test_json_stays_equal() -> None:
    assert json.loads(literal(json.dumps([HOSTILE], ensure_ascii=False))) == [HOSTILE]


@pytest.mark.parametrize(
    ("command", "response"),
    [
        (("actions", "list"), page(ACTION)),
        (("dead-letters", "list"), page(dead_letter(0) | {"error": HOSTILE})),
        (("partitions", "list"), (200, {"data": [HALTED | {"reason": HOSTILE}]})),
        (("partitions", "resume", "7", "--reason", "x"), (202, HALTED | {"reason": HOSTILE})),
        (("quarantine", "list"), (200, {"data": [SET_ASIDE | {"reason": HOSTILE}]})),
        (("quarantine", "add", "99M-1", "--reason", "x"), (200, SET_ASIDE | {HOSTILE: HOSTILE})),
    ],
)
def test_every_table_shows_it_literally(
    waybill: StandIn, run: Run, command: tuple[str, ...], response: tuple[int, Json]
) -> None:
    waybill.responses.append(response)
    ended = run(*command)
    assert (ended.code, ended.err) == (0, "")
    folded = "".join(part for line in ended.out.splitlines() for part in line.split())
    assert "".join(SHOWN.split())[:30] in folded
    assert all(character == "\n" or character.isprintable() for character in ended.out)


def test_errors_and_json_show_it_literally(waybill: StandIn, run: Run) -> None:
    waybill.responses += [refusal(409, "CONFLICT", HOSTILE), page(ACTION)]
    assert run("dead-letters", "show", "dl_0_1").err == f"error: {SHOWN} (CONFLICT)\n"
    ended = run("actions", "list", "--json")
    assert SHOWN in ended.out
    assert ended.json == [ACTION]
