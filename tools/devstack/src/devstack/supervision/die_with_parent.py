"""A wrapper that ends a program with its parent: `die_with_parent.py SIGNAL PARENT_PID COMMAND...`.

Run as a script in a fresh interpreter instead of as a `preexec_fn`, because code between fork and
exec may deadlock in a process that has threads, as the drivers' processes do.
"""

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
OPEN_FILES = 65_536  # what mongod asks for; a desktop's soft limit is 1024
CANNOT_EXECUTE = 127


def dying_with_parent(command: tuple[str, ...], *, death_signal: int) -> tuple[str, ...]:
    """Return `command` wrapped so that it gets `death_signal` when the calling thread dies."""
    wrapper = (sys.executable, "-I", "-S", str(Path(__file__).resolve()))
    return (*wrapper, str(int(death_signal)), str(os.getpid()), *command)


def _raise_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _become(command: list[str], *, death_signal: int, parent: int) -> str:
    if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        return "prctl(PR_SET_PDEATHSIG) failed"
    if os.getppid() != parent:  # it died before the line above could take effect
        return "the supervisor is gone"
    _raise_open_files()
    # Python ignores these two and an ignored signal survives exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is the point
    except OSError as exc:
        return f"cannot run {command[0]}: {exc.strerror}"


if __name__ == "__main__":
    sys.stderr.write(_become(sys.argv[3:], death_signal=int(sys.argv[1]), parent=int(sys.argv[2])) + "\n")
    sys.exit(CANNOT_EXECUTE)
