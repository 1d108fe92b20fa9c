"""The last release beside the present code: its files from the history, in an environment of their own."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

LAST_RELEASE: Final = "99f69d103033bbc373318140e841971b589ab0a4"
"""Revision of the last release, a commit or a tag: what operators upgrade from. Each release moves it."""

_COMPLETE: Final = "complete"


class ReleaseMissing(Exception):
    """The last release cannot be had here; the text says why, and what helps."""


@dataclass(frozen=True, slots=True)
class Release:
    """Files of a release.

    Attributes:
        root: folder of its repository.
        python: interpreter of its environment.
    """

    root: Path
    python: Path


PRESENT: Final = Release(ROOT, Path(sys.executable))


def last_release(env: Mapping[str, str] = os.environ) -> Release:
    """Return the last release, installed at the first call; it stays in the cache of the embedded stack.

    Raises:
        ReleaseMissing: this is no clone of the repository, its history ends before the release, or uv is
            missing or failed.
    """
    commit = _commit(LAST_RELEASE)
    cache = Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "waybill" / "releases"
    cache.mkdir(parents=True, exist_ok=True)
    root = cache / commit
    with _alone(cache / f"{commit}.lock"):
        if not (root / _COMPLETE).exists():
            shutil.rmtree(root, ignore_errors=True)
            _unpack(commit, root)
            _install(root)
            (root / _COMPLETE).touch()
    return Release(root, root / ".venv" / "bin" / "python")


def _commit(revision: str) -> str:
    """Return the commit of a revision of this clone."""
    asked = ("git", "rev-parse", "--quiet", "--verify", f"{revision}^{{commit}}")
    try:
        found = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ReleaseMissing("git is missing: the last release is taken from the history") from error
    if found.returncode != 0:
        raise ReleaseMissing(
            f"the last release, {revision}, is not in this clone: `git fetch --unshallow --tags` brings the"
            " history; an export without .git has none"
        )
    return found.stdout.strip()


def _unpack(commit: str, root: Path) -> None:
    with tempfile.TemporaryFile() as archive:
        subprocess.run(("git", "archive", commit), cwd=ROOT, stdout=archive, check=True)
        archive.seek(0)
        root.mkdir()
        subprocess.run(("tar", "--extract"), cwd=root, stdin=archive, check=True)


def _install(root: Path) -> None:
    """Install what the release's own lock file names, without its tools of development."""
    own = ROOT / ".uv" / "bin" / "uv"
    uv = str(own) if own.exists() else shutil.which("uv")
    if uv is None:
        raise ReleaseMissing("uv is missing: any verb of make installs it, as make test-unit")
    python = str(Path(sys.executable).resolve())
    command = (uv, "sync", "--frozen", "--quiet", "--all-packages", "--no-dev", "--python", python)
    others = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH")
    env = {name: value for name, value in os.environ.items() if name not in others}
    installed = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    if installed.returncode != 0:
        raise ReleaseMissing(f"uv could not install the last release: {installed.stderr.strip()}")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait for other processes that install the same release."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
