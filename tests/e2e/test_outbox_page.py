"""The program and the commands of docs/outbox.md work as printed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pages import blocks
from tests.support.printed_calls import PRINTED_URL, ROOT, run_calls
from tests.support.stack import StackAddresses

pytestmark = [pytest.mark.stack, pytest.mark.timeout(150)]

PAGE = "docs/outbox.md"


def printed(language: str) -> str:
    (text,) = (block.text for block in blocks(PAGE) if block.is_run and block.language == language)
    return text


def test_the_program_prints_what_the_page_says(stack: StackAddresses, tmp_path: Path) -> None:
    program = printed("python").replace(PRINTED_URL, stack.gateway_url)
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert f"It prints `{ran.stdout.strip()}`." in (ROOT / PAGE).read_text()


def test_the_commands_send_what_they_have_kept(stack: StackAddresses, tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shown = run_calls(
        printed("sh"), stack, tmp_path, env={"PATH": path, "XDG_CONFIG_HOME": str(tmp_path)}
    ).splitlines()
    counts = dict(line.split() for line in shown if line.startswith(("queued", "refused ", "pending")))
    assert any("arrived_at_hub" in line for line in shown)
    assert (counts["queued"], counts["pending"], counts["refused"]) == ("1", "0", "0")
