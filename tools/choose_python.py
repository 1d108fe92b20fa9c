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
CLEARLY_FASTER = 0.9
_TURNS = 3
_WORK = """
import ctypes, sqlite3, ssl, sys, time
def work():
    begun = time.process_time()
    for number in range(60_000):
        [part for part in str(number).split("1")]
        {"number": number}.get("number")
    return time.process_time() - begun
if sys.version_info >= (3, 11):
    print(min(work() for _ in range(2)), sys.executable)
"""


def candidates(path: str) -> Iterator[str]:
    """Return the Pythons of supported versions in the directories of `path`, each program once."""
    seen = set()
    for version in SUPPORTED:
        for directory in path.split(os.pathsep):
            found = shutil.which(f"python{version}", path=directory or os.curdir)
            if found and os.path.realpath(found) not in seen:
                seen.add(os.path.realpath(found))
                yield found


def measured(python: str) -> tuple[float, str] | None:
    """Return the CPU seconds that `python` needs for the work, and the program that did it.

    None if it does not run or lacks a module. A version manager's `python3.12` only starts the program.
    """
    command = (python, "-IS", "-c", _WORK)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)  # noqa: S603
        taken, program = done.stdout.rstrip("\n").split(" ", 1)
        return float(taken), program
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def chosen(first: str, path: str) -> str:
    """Return `first`, or the fastest other one if that is clearly faster.

    They take turns, so that a busy moment of the machine is not held against one of them.
    """
    programs: dict[str, float] = {}
    own = float("inf")
    for _ in range(_TURNS):
        if (found := measured(first)) is not None:
            own = min(own, found[0])
        for each in candidates(path):
            if (found := measured(each)) is not None:
                programs[found[1]] = min(found[0], programs.get(found[1], found[0]))
    fastest = min(programs, key=programs.__getitem__, default=first)
    return fastest if programs.get(fastest, own) < own * CLEARLY_FASTER else first


if __name__ == "__main__":
    sys.stdout.write(f"{chosen(sys.executable, os.environ.get('PATH', ''))}\n")
