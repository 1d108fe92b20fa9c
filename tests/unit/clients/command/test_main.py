"""The command as a whole: its exit codes, its version, its help, its completion."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.clients.command.conftest import Run
from waybill import __version__


def test_version_is_printed(run: Run) -> None:
    assert run("--version").out == f"{__version__}\n"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("waybill shipm", {"shipments"}),
        ("waybill events send 99M-1 in_", {"in_warehouse", "in_transit"}),
    ],
)
def test_the_shell_completes_commands_and_statuses(typed: str, offered: set[str]) -> None:
    completed = subprocess.run(
        [Path(sys.executable).with_name("waybill")],
        env=os.environ
        | {"_WAYBILL_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(completed.stdout.split()) == offered, completed.stderr
