"""The commands that the documents print exist, with the options that are printed."""

import re
import shlex

import pytest

from tests.support.pages import pages
from tests.support.printed_calls import ROOT
from tests.unit.clients.command.conftest import Run

TEXTS = [(ROOT / page).read_text() for page in pages()]
OPERATORS = {
    f"ops {command}" for text in TEXTS for command in re.findall(r'make ops ARGS="([^"]*[^"…])"', text)
}
ANYBODYS = {
    " ".join(command.split())
    for text in TEXTS
    for command in re.findall(r"(?<!`)`waybill ([a-z-][^`|]*[^`|… ])[ …]*`(?!`)", text)
}
PRINTED = sorted(OPERATORS | ANYBODYS)


def test_documents_print_commands() -> None:
    assert any("dead-letters replay" in command for command in OPERATORS)
    assert "login --api-key" in ANYBODYS


@pytest.mark.parametrize("command", PRINTED)
def test_a_printed_command_is_one(command: str, run: Run) -> None:
    ended = run(*shlex.split(command), "--help")
    assert (ended.code, ended.err) == (0, "")
    assert "Usage:" in ended.out


def test_other_text_is_not_a_command(ops: Run) -> None:
    assert ops("dead-letters", "list", "--eaten", "--help").code == 2
