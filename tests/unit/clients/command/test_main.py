"""The command as a whole: its exit codes, its version, its help, its completion."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.printed_calls import ROOT
from tests.unit.clients.command.conftest import Run
from waybill import __version__
from waybill.cli.errors import ExitCode


def test_help_and_page_have_the_same_exit_codes(run: Run) -> None:
    rows = [f"| {code:d} | {code.meaning} |" for code in ExitCode]
    page = (ROOT / "docs/command.md").read_text()
    table = page.partition("| exit code | meaning |\n|---|---|\n")[2].partition("\n\n")[0]
    assert table.splitlines() == rows
    told = " ".join(run("--help").out.replace("│", " ").split())
    assert all(f"{code:d} {code.meaning}" in told for code in ExitCode)


def test_version_is_printed(run: Run) -> None:
    assert run("--version").out == f"{__version__}\n"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("waybill shipm", {"shipments"}),
        ("waybill events send 99M-1 in_", {"in_warehouse", "in_transit"}),
        ("waybill ops dead-letters re", {"replay"}),
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
