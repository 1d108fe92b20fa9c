"""Each command of docs/command.md works as printed, with what the page promises."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pages import blocks
from tests.support.printed_calls import PRINTED_URL, ROOT
from tests.support.stack import StackAddresses

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

PAGE = "docs/command.md"
# What is printed, in this order.
EXPECTED = [
    r"default .* client_user_001",
    r"driver .* driver_user_001",
    r'"tracking_number":"99M-',
    r"status +applied",
    r"status +applied",
    r"current_status +picked_up",
    r"arrived_at_hub",
    r"99M-\S+ +picked_up +client_001 +order 4711",
    r"arrived_at_hub .* applied",
    r"current_status +picked_up",
    r"version \d  in_warehouse",
    r"in_warehouse  dock-2  applied",
    r"url +http",
    r'"secret":"whsec_',
    r"client_user_001",
    r"database",
]


def test_the_commands_work_in_the_order_they_are_printed(stack: StackAddresses, tmp_path: Path) -> None:
    script = "\n".join(block.text for block in blocks(PAGE) if block.is_run)
    script = script.replace(PRINTED_URL, stack.gateway_url).replace("/tmp/", f"{tmp_path}/")  # noqa: S108  # of the page
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "WAYBILL_"))
    }
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env=inherited
        | {
            "PATH": f"{Path(sys.executable).parent}:{inherited['PATH']}",
            "XDG_CONFIG_HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    rest = ran.stdout
    for pattern in EXPECTED:
        found = re.search(pattern, rest)
        assert found, f"{pattern} is not in\n{rest}"
        rest = rest[found.end() :]
    assert "password123" not in (tmp_path / "waybill/profiles.json").read_text()
