"""`make rebuild-check`: the data of this test run can be rebuilt, while the stack keeps running."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.traffic import shipment_body
from tests.support.api import Api
from tests.support.stack import RunningStack

pytestmark = [pytest.mark.stack, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "devstack", "exec", sys.executable, "-m", "toolbox", "rebuild")


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command of the verb."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, "WAYBILL_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )


def test_the_make_verb_runs_the_tested_command() -> None:
    recipe = ROOT.joinpath("Makefile").read_text().partition("\nrebuild-check:")[2].splitlines()[1]
    verb = "python -m devstack exec waybill-admin rebuild check --from both"
    assert recipe == f"\t@exec $(RUN) {verb}"


async def test_all_applied_events_can_be_rebuilt(own_stack: RunningStack, admin: Api) -> None:
    await admin.created(shipment_body("client_001"))
    done = await asyncio.to_thread(run, own_stack.home.root, "check", "--from", "both")
    assert (done.returncode, done.stdout.partition(":")[0]) == (0, "equal"), done.stdout + done.stderr
    assert "equal: 0 shipments" not in done.stdout


def test_without_a_stack_it_says_so(tmp_path: Path) -> None:
    done = run(tmp_path, "check")
    assert done.returncode == 2
    assert done.stderr == f"error: no stack is up in {tmp_path}: start one (make run), or set WAYBILL_HOME\n"


def test_an_impossible_rebuild_is_rejected_in_one_line(own_stack: RunningStack) -> None:
    for into in ("status_events", "no good name"):
        done = run(own_stack.home.root, "write", "--from", "audit", "--into", into)
        assert (done.returncode, done.stderr) == (1, "")
        assert done.stdout.startswith(f"refused: '{into}' cannot be a side collection")
    done = run(own_stack.home.root, "swap", "--from", "audit", "nowhere")
    assert (done.returncode, done.stdout) == (1, "refused: nowhere does not exist: write it first\n")
