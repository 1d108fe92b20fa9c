"""The commands of docs/data.md, docs/importing.md and docs/runbook.md work as printed, on the stack."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.store_addresses import addresses_in
from tests.support.pages import RUN_BY, blocks
from tests.support.printed_calls import PRINTED_URL, ROOT
from tests.support.stack import RunningStack

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(300)]

PAGES = [page for page, test in RUN_BY.items() if test == "tests/e2e/test_pages.py"]


@pytest.mark.parametrize("page", PAGES)
def test_printed_commands_work(page: str, own_stack: RunningStack) -> None:
    script = "\n".join(block.text for block in blocks(page) if block.is_run)
    assert script
    script = script.replace(PRINTED_URL, own_stack.gateway_url)
    script = re.sub(r"(?<=\s)/backups", f"{own_stack.home.root}/backups", script)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    env = {
        **inherited,
        **addresses_in(own_stack.home.stack_file),
        "WAYBILL_HOME": str(own_stack.home.root),
        "PATH": f"{Path(sys.executable).parent}:{inherited['PATH']}",
    }
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
