import io
from pathlib import Path

import pytest
from rich.console import Console

from devstack.console.terminal import Screen, StackConsole
from devstack.errors import PartFailedError


def test_output_without_a_terminal_is_plain_lines(tmp_path: Path) -> None:
    output = io.StringIO()
    console = StackConsole(Console(file=output), file=tmp_path / "supervisor.log")

    with console.progress(), console.step("mongod"):
        pass

    first, second = output.getvalue().splitlines()
    assert first.split() == ["mongod", "starting"]
    assert second.split() == ["mongod", "ready", "0.0", "s"]


def test_a_step_that_fails_is_never_called_ready(tmp_path: Path) -> None:
    output = io.StringIO()
    console = StackConsole(Console(file=output, force_terminal=True), file=tmp_path / "supervisor.log")

    with pytest.raises(PartFailedError), console.progress(), console.step("mongod"):
        raise PartFailedError("mongod died")

    assert "ready" not in output.getvalue()


def test_a_note_is_shown_and_logged_with_its_time(tmp_path: Path) -> None:
    output = io.StringIO()
    console = StackConsole(Console(file=output, width=20), file=tmp_path / "supervisor.log")

    console.note("redis [pid 7] died: killed by SIGKILL; restart 1 in 0.1 s")

    kept = (tmp_path / "supervisor.log").read_text()
    assert kept == output.getvalue()
    assert kept.endswith("Z redis [pid 7] died: killed by SIGKILL; restart 1 in 0.1 s\n")


def test_a_closed_terminal_does_not_take_the_stack_down(tmp_path: Path) -> None:
    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    StackConsole(Screen(file=Closed()), file=tmp_path / "supervisor.log").note("redis died")

    assert "redis died" in (tmp_path / "supervisor.log").read_text()
