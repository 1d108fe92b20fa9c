"""A copy of the repository that may be broken, and pytest run in it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.mutations.mutation import Mutation

ROOT = Path(__file__).parents[2]
_PLUGINS = ("pytest_asyncio.plugin", "pytest_timeout", "_hypothesis_pytestplugin")
_PYTEST = ("-p", "no:cacheprovider", "-q", "--tb=no", "-rfE", "--no-header")
_TESTS_FAILED = 1
_LONGEST_RUN_S = 180


class BrokenCopyError(Exception):
    """The copy does not run correctly, so that no safeguard can be judged."""


@dataclass(frozen=True, slots=True)
class Run:
    """Result of a run of pytest."""

    code: int
    failed: list[str]
    seconds: float
    output: str


@dataclass(frozen=True, slots=True)
class Tree:
    """The copy below `root`; its sources come before those that are installed.

    Attributes:
        forks: a process that runs pytest in forks of itself, see `tests.mutations.forking`.
    """

    root: Path
    forks: "subprocess.Popen[str]"

    @classmethod
    @contextmanager
    def copied_to(cls, root: Path, env: Mapping[str, str]) -> Iterator["Tree"]:
        """Copy the working tree, as git sees it, and make sure that the copy is what runs.

        Raises:
            BrokenCopyError: a package would be taken from somewhere else.
        """
        listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
        for name in filter(None, listed):
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes((ROOT / name).read_bytes())
        own = {
            **env,
            "PYTHONPATH": os.pathsep.join([str(root), *(str(each) for each in sorted(root.glob("*/*/src")))]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # half of a second each would be theirs
            "PYTEST_PLUGINS": ",".join(_PLUGINS),
        }
        # By hash, not by time: a file that is broken and repaired within a second must not run as it was.
        compiled = (
            "-m",
            "compileall",
            "-q",
            "--invalidation-mode",
            "checked-hash",
            "clients/python",
            "libs",
            "services",
            "tests",
        )
        _python(root, own, *compiled)
        _prove(root, own)
        program = [sys.executable, "-m", "tests.mutations.forking"]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(program, cwd=root, env=own, **pipes) as forks:
            yield cls(root, forks)

    def without(self, mutation: Mutation) -> Run:
        """Remove one safeguard, run the tests that should fail, and put it back."""
        path = self.root / mutation.file
        text = path.read_text()
        path.write_text(text.replace(mutation.old, mutation.new))
        try:
            return self.run(mutation.tests)
        finally:
            path.write_text(text)

    def run(self, tests: Iterable[str]) -> Run:
        """Run some tests.

        Raises:
            BrokenCopyError: pytest could not be run.
        """
        started = time.monotonic()
        if self.forks.stdin is None or self.forks.stdout is None:
            raise BrokenCopyError("there are no pipes to the forks")
        self.forks.stdin.write(f"{json.dumps([*_PYTEST, *tests])}\n")
        self.forks.stdin.flush()
        line = self.forks.stdout.readline()
        if not line:
            raise BrokenCopyError("the process that forks has ended")
        response = json.loads(line)
        failed = [
            line.removeprefix("FAILED ").split(" - ")[0]
            for line in response["output"].splitlines()
            if line.startswith("FAILED ")
        ]
        return Run(response["code"], failed, time.monotonic() - started, response["output"])


def _prove(root: Path, env: Mapping[str, str]) -> None:
    packages = {path.parent.name for path in root.glob("*/*/src/*/__init__.py")}
    program = f"import {', '.join(packages)}\nfor each in ({', '.join(packages)}): print(each.__file__)"
    said = _python(root, env, "-c", program)
    files = [Path(line) for line in said.stdout.splitlines()]
    if len(files) != len(packages) or not all(each.is_relative_to(root) for each in files):
        raise BrokenCopyError(f"not of the copy: {said.stdout}{said.stderr}")


def _python(root: Path, env: Mapping[str, str], *args: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *args],
        cwd=root,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONGEST_RUN_S,
    )


def is_killed(mutation: Mutation, run: Run) -> bool:
    """Say whether each test named for a mutation failed, and nothing else went wrong."""
    return run.code == _TESTS_FAILED and all(
        any(_is_of(failed, named) for failed in run.failed) for named in mutation.tests
    )


def _is_of(failed: str, named: str) -> bool:
    """Say whether a test that failed is the named one, or one of its parameters."""
    return failed == named or failed.startswith((f"{named}[", f"{named}::"))


def _git(*args: str) -> str:
    return subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True, check=True).stdout
