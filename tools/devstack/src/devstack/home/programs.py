"""Locations of the stack's programs: inside installed wheels, or on the user's PATH."""

import os
import re
import shutil
import signal
import stat
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from devstack.errors import PrerequisiteError

_INSTALL_JAVA = "apt-get install openjdk-17-jre-headless maven"
_LEAST_JAVA = 17
_LIBRARY_PACKAGES = {
    "libcurl.so.4": "libcurl4",
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
    "liblzma.so.5": "liblzma5",
    "libz.so.1": "zlib1g",
}
_MISSING_LIBRARY = re.compile(r"error while loading shared libraries: ([^:\s]+):")
_OLD_GLIBC = re.compile(r"version `GLIBC(?:XX)?_([\d.]+)' not found")
_JAVA_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


def wheel_program(distribution: str, program: str) -> Path:
    """Find a program in an installed wheel and make sure that it is executable.

    Raises:
        PrerequisiteError: the wheel is not installed, lacks the program, or its run bit cannot be set.
    """
    try:
        listed = files(distribution) or []
    except PackageNotFoundError:
        listed = []
    found = next((Path(str(file.locate())) for file in listed if file.name == program), None)
    if found is None or not found.is_file():
        raise PrerequisiteError(f"{program} is missing from the environment: reinstall {distribution}")
    found = found.resolve()
    if not os.access(found, os.X_OK):
        try:
            found.chmod(found.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        except OSError as exc:
            raise PrerequisiteError(f"cannot make {found} executable: {exc.strerror}") from exc
    return found


def find_java(env: Mapping[str, str]) -> Path:
    """Find a Java that runs Kafka 4. Blocks while it prints its version.

    Raises:
        PrerequisiteError: none is installed, or it is too old.
    """
    java = Path(env["JAVA_HOME"], "bin", "java") if env.get("JAVA_HOME") else None
    if java is None or not java.is_file():
        java = _on_path("java", env)
    response = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603 - the user's own java
    version = _JAVA_VERSION.search(response.stderr + response.stdout)
    if version is not None and int(version[1]) < _LEAST_JAVA:
        raise PrerequisiteError(f"Java {version[1]} is too old, Kafka needs {_LEAST_JAVA}: {_INSTALL_JAVA}")
    return java


def find_maven(env: Mapping[str, str]) -> Path:
    """Find Maven.

    Raises:
        PrerequisiteError: it is not installed.
    """
    return _on_path("mvn", env)


def explain_death(name: str, *, exit_code: int, log_tail: Sequence[str]) -> str | None:
    """Return what the machine lacks if that is why `name` died, and how to add it; else None."""
    text = "\n".join(log_tail)
    if missing := _MISSING_LIBRARY.search(text):
        package = _LIBRARY_PACKAGES.get(missing[1])
        how = f"apt-get install {package}" if package else "install the package that has it"
        return f"{name} needs the library {missing[1]}: {how}"
    if old := _OLD_GLIBC.search(text):
        return f"{name} needs glibc {old[1]}: use Debian 12, Ubuntu 22.04 or newer"
    if exit_code == -signal.SIGILL:
        return f"{name} needs a processor with AVX: this machine has none"
    if "No space left on device" in text:
        return f"{name} found the disk full: free some space or set WAYBILL_HOME to another disk"
    return None


def _on_path(program: str, env: Mapping[str, str]) -> Path:
    found = shutil.which(program, path=env.get("PATH"))
    if found is None:
        raise PrerequisiteError(f"{program} is missing: {_INSTALL_JAVA}")
    return Path(found)
