"""The commands that the documents print exist, with the options that are printed."""

import re
import shlex

import pytest

from tests.support.printed_calls import ROOT
from tests.unit.operations.conftest import Run

PRINTED = sorted(
    {
        command
        for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
        for command in re.findall(r'make ops ARGS="([^"]+)"', document.read_text())
    }
)


def test_documents_print_commands() -> None:
    assert any("dead-letters replay" in command for command in PRINTED)


@pytest.mark.parametrize("command", PRINTED)
def test_a_printed_command_is_one(command: str, run: Run) -> None:
    ended = run(*shlex.split(command), "--help")
    assert (ended.code, ended.err) == (0, "")
    assert "Usage:" in ended.out


def test_other_text_is_not_a_command(run: Run) -> None:
    assert run("dead-letters", "list", "--eaten", "--help").code == 2
