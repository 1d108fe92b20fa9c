"""Kafka's jars: fetched once by Maven into the user's cache, shared by every home on the machine."""

import asyncio
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from devstack.console.terminal import StackConsole
from devstack.errors import DownloadError, PartFailedError
from devstack.home.programs import find_maven
from devstack.supervision.launcher import Launcher

KAFKA_VERSION = "4.3.1"
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_POM = Path(__file__).with_name("pom.xml")
_POLL_S = 0.1


@asynccontextmanager
async def alone_in(cache: Path) -> AsyncIterator[None]:
    """Let one stack at a time fill the cache; the others find what it has put there.

    Raises:
        DownloadError: the cache cannot be written.
    """
    try:
        directory = _opened(cache)
    except OSError as exc:
        raise DownloadError(f"cannot use {cache}: {exc.strerror}") from exc
    try:
        while not _has_locked(directory):  # noqa: ASYNC110  # another process holds it, which sets no event here
            await asyncio.sleep(_POLL_S)
        yield
    finally:
        os.close(directory)


def _opened(directory: Path) -> int:
    directory.mkdir(parents=True, exist_ok=True)
    return os.open(directory, os.O_RDONLY)


def _has_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def kafka_jars(launcher: Launcher, cache: Path, *, console: StackConsole) -> Path:
    """Return the directory with the jars, fetching them when the cache lacks them.

    A download is made beside the cache and renamed into it whole, so an interrupted one leaves
    nothing to be mistaken for jars and of two at once the first wins.

    Raises:
        PrerequisiteError: Maven is needed and missing.
        DownloadError: the jars could not be fetched or stored.
    """
    jars = cache / f"kafka-{KAFKA_VERSION}"
    if jars.is_dir():
        return jars
    maven = find_maven(launcher.environment)
    try:
        with _room_in(cache) as directory:
            with console.step("kafka download"):
                await _download(launcher, maven, Path(directory))
            _keep(Path(directory, "jars"), jars)
    except OSError as exc:
        raise DownloadError(f"cannot keep Kafka's jars in {cache}: {exc.strerror}") from exc
    return jars


def _room_in(cache: Path) -> tempfile.TemporaryDirectory[str]:
    cache.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(dir=cache, prefix="kafka-download-")


async def _download(launcher: Launcher, maven: Path, directory: Path) -> None:
    shutil.copy(_POM, directory / "pom.xml")
    command = (
        *(str(maven), "-q", "-B", "-f", str(directory / "pom.xml"), "dependency:copy-dependencies"),
        f"-DoutputDirectory={directory / 'jars'}",
        "-DincludeScope=runtime",
    )
    launcher.log("maven").unlink(missing_ok=True)  # the error is looked for in this run's lines only
    try:
        await launcher.run("maven", command, environment={})
    except PartFailedError as exc:
        log = launcher.log("maven").read_text(errors="replace")
        raise DownloadError(f"cannot fetch Kafka {KAFKA_VERSION}: {maven_error(log)}") from exc


def _keep(fetched: Path, jars: Path) -> None:
    try:
        fetched.rename(jars)
    except OSError:
        if not jars.is_dir():  # else another start was faster; its jars are as good
            raise


def maven_error(log: str) -> str:
    """Return the line of Maven's output with the error."""
    said = _COLOUR.sub("", log).splitlines()  # Maven colours its output even in batch mode
    errors = [line.removeprefix("[ERROR]").strip() for line in said if line.startswith("[ERROR]")]
    lines = [line for line in errors or said if line.strip()]
    first = lines[0] if lines else "Maven said nothing"
    return first.removesuffix("-> [Help 1]").strip()
