"""The Python that the Makefile sets up with."""

import subprocess
import sys
from pathlib import Path

from tests.support.printed_calls import ROOT


def put(directory: Path, name: str, says: str, *, code: int = 0) -> None:
    program = directory / name
    program.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    program.chmod(0o755)


def chosen(path: Path) -> str:
    command = (sys.executable, ROOT / "tools" / "choose_python.py")
    done = subprocess.run(command, env={"PATH": str(path)}, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.removesuffix("\n")


def test_the_fastest_is_taken(tmp_path: Path) -> None:
    put(tmp_path, "python3.11", "0.002 /opt/one of 3.11")
    put(tmp_path, "python3.12", "0.001 /opt/3.12")
    assert chosen(tmp_path) == "/opt/3.12"
    put(tmp_path, "python3.12", "0.003 /opt/3.12")
    assert chosen(tmp_path) == "/opt/one of 3.11"


def test_one_that_is_not_clearly_faster_is_not_worth_a_change(tmp_path: Path) -> None:
    put(tmp_path, "python3.12", "60 /opt/3.12")
    assert chosen(tmp_path) == sys.executable


def test_one_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "python3.11", "0.001 /opt/3.11", code=127)
    put(tmp_path, "python3.12", "")
    put(tmp_path, "python3.13", "pyenv: command not found")
    (tmp_path / "python3.14").symlink_to(tmp_path / "nowhere")
    assert chosen(tmp_path) == sys.executable
