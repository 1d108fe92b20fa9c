"""Print the Python to set Waybill up with: the fastest of the machine's, if it has several that can run it.

Version managers build Python without optimisations unless told otherwise; such a build needs more CPU for the
same work. A build does not reliably say how it was made, so each runs the same few lines. Runs on any Python
3.11 or newer, before anything is installed.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

SUPPORTED = ("3.11", "3.12", "3.13")
CLEARLY_FASTER = 0.85
_ROUNDS = 3
_WORK = """
import ctypes, sqlite3, ssl, sys, time
def work():
    begun = time.process_time()
    for number in range(60_000):
        [part for part in str(number).split("1")]
        {"number": number}.get("number")
    return time.process_time() - begun
if sys.version_info >= (3, 11):
    print(min(work() for _ in range(%d)), sys.executable)
"""


def candidates(path: str) -> Iterator[str]:
    """Return the Pythons of supported versions in the directories of `path`."""
    for version in SUPPORTED:
        for directory in path.split(os.pathsep):
            if found := shutil.which(f"python{version}", path=directory or os.curdir):
                yield found


def measured(python: str) -> tuple[float, str] | None:
    """Return the CPU seconds that `python` needs for the work, and the program that did it.

    None if it does not run or lacks a module. A version manager's `python3.12` only starts the program.
    """
    command = (python, "-IS", "-c", _WORK % _ROUNDS)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
        taken, program = done.stdout.rstrip("\n").split(" ", 1)
        return float(taken), program
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def chosen(first: str, path: str) -> str:
    """Return `first`, or the fastest other one if that is clearly faster."""
    own = measured(first)
    others = [found for each in dict.fromkeys(candidates(path)) if (found := measured(each)) is not None]
    if not others:
        return first
    taken, program = min(others)
    return program if own is None or taken < own[0] * CLEARLY_FASTER else first


if __name__ == "__main__":
    sys.stdout.write(f"{chosen(sys.executable, os.environ.get('PATH', ''))}\n")
