"""`make backup`: the running stack's database, as files that can be trusted."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage.mongo.backup.archive import Archive
from storage.mongo.schema import SHIPMENTS
from tests.e2e.traffic import shipment_body
from tests.support.api import Api
from tests.support.stack import RunningStack

pytestmark = [pytest.mark.stack, pytest.mark.slow]

ROOT = Path(__file__).parents[2]


def back_up(home: Path, directory: Path) -> Archive:
    """Run the command of the verb."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "devstack",
            "exec",
            sys.executable,
            "-m",
            "toolbox",
            "backup",
            "create",
            directory,
        ],
        env={**os.environ, "WAYBILL_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    [path] = directory.iterdir()
    return Archive.at(path)


def test_the_make_verb_runs_the_tested_command() -> None:
    recipe = ROOT.joinpath("Makefile").read_text().partition("\nbackup:")[2].splitlines()[1]
    assert recipe.startswith("\t@exec $(RUN) python -m devstack exec waybill-admin backup create ")


async def test_the_running_stack_is_backed_up(own_stack: RunningStack, admin: Api, tmp_path: Path) -> None:
    number = await admin.created(shipment_body("client_001"))
    archive = await asyncio.to_thread(back_up, own_stack.home.root, tmp_path)
    archive.verify()
    assert number in {each["_id"] for each in archive.documents(SHIPMENTS)}
