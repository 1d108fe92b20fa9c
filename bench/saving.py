"""What every benchmark has in common: its options, and its result as text with machine and commit."""

import argparse
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from devstack.machine.interpreter import python_build, slow_build

RESULTS: Final = Path(__file__).with_name("results")


def command_line(module_docstring: str | None, *, port: int) -> argparse.ArgumentParser:
    """Return a parser of the options that every benchmark takes."""
    parser = argparse.ArgumentParser(description=(module_docstring or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=port, help="of the gateway of the stack that it starts")
    parser.add_argument("--save", action="store_true", help="write the result to bench/results")
    return parser


def publish(name: str, text: str, options: argparse.Namespace) -> None:
    """Print a result with its machine and commit; save it if the options ask for it."""
    described = f"machine  {machine()}\ncommit   {commit()}\n{text.rstrip()}\n"
    print(described, end="")
    if advice := slow_build():
        sys.stderr.write(f"{advice}\n")
    if options.save:
        result_path(name, "txt").write_text(described)


def result_path(name: str, suffix: str) -> Path:
    """Return the path of today's result of this name."""
    return RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-{name}.{suffix}"


def machine() -> str:
    """Describe the machine that this was measured on."""
    system = f"{platform.system()} {platform.release()}, {python_build()}"
    return f"{os.cpu_count()} cores, {platform.machine()}, {system}"


def commit() -> str:
    """Return the measured commit, with a plus where files differ from it."""
    head = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return f"{head or 'unknown'}{'+' if changed else ''}"


def _git(*arguments: str) -> str:
    root = RESULTS.parent.parent
    done = subprocess.run(("git", *arguments), cwd=root, capture_output=True, text=True, check=False)
    return done.stdout.strip()
