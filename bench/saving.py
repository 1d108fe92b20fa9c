"""Storage of results: as text, with the machine and the commit that they were measured on."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.load import machine

RESULTS: Final = Path(__file__).with_name("results")


def described(text: str) -> str:
    """Return a result prefixed with the machine and commit."""
    return f"machine  {machine()}\ncommit   {commit()}\n{text}"


def save(name: str, text: str, *, suffix: str = "txt") -> Path:
    """Write a result to `bench/results`, under the date and a name."""
    path = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-{name}.{suffix}"
    path.write_text(f"{text.rstrip()}\n")
    return path


def commit() -> str:
    """Return the measured commit, with a plus where files differ from it."""
    head = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return f"{head or 'unknown'}{'+' if changed else ''}"


def _git(*arguments: str) -> str:
    root = RESULTS.parent.parent
    done = subprocess.run(("git", *arguments), cwd=root, capture_output=True, text=True, check=False)
    return done.stdout.strip()
