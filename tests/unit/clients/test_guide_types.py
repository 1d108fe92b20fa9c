"""The programs in Python of docs/api.md have the types that the client promises."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.guide import programs


@pytest.mark.timeout(240)
def test_the_guide_has_no_type_error(tmp_path: Path) -> None:
    program = tmp_path / "guide.py"
    program.write_text("\n".join(programs("python").values()))
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.startswith("Success: "), ran.stdout + ran.stderr
