import os
import signal
import subprocess
from pathlib import Path

import pytest

from devstack.errors import PrerequisiteError
from devstack.home import programs
from devstack.home.programs import explain_death, find_java, find_maven, wheel_program
from devstack.parts import gateway, mongod, redis
from devstack.parts.kafka_jars import maven_error


@pytest.mark.parametrize(
    ("distribution", "program"),
    [
        (mongod.DISTRIBUTION, "mongod"),
        (redis.DISTRIBUTION, "redis-server"),
        (gateway.DISTRIBUTION, "haproxy"),
    ],
)
def test_programs_in_the_wheels_are_executable(distribution: str, program: str) -> None:
    path = wheel_program(distribution, program)

    assert path.name == program
    assert os.access(path, os.X_OK)


def test_a_missing_run_bit_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mongod").touch(mode=0o644)

    class Listed:
        name = "mongod"

        def locate(self) -> Path:
            return tmp_path / "mongod"

    monkeypatch.setattr(programs, "files", lambda _: [Listed()])

    assert os.access(wheel_program("any", "mongod"), os.X_OK)


@pytest.mark.parametrize("distribution", ["no-such-wheel", "rich"])
def test_a_wheel_without_the_program_is_named(distribution: str) -> None:
    with pytest.raises(PrerequisiteError, match=f"^mongod is missing .* reinstall {distribution}$"):
        wheel_program(distribution, "mongod")


def test_missing_java_and_maven_are_named_with_the_remedy(tmp_path: Path) -> None:
    cure = "is missing: apt-get install openjdk-17-jre-headless maven$"
    with pytest.raises(PrerequisiteError, match=f"^java {cure}"):
        find_java({"PATH": str(tmp_path)})
    with pytest.raises(PrerequisiteError, match=f"^mvn {cure}"):
        find_maven({"PATH": str(tmp_path)})


@pytest.mark.parametrize(("banner", "major"), [('version "1.8.0_402"', "8"), ('version "11.0.2"', "11")])
def test_an_old_java_is_refused(
    banner: str, major: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "java").touch(mode=0o755)
    response = subprocess.CompletedProcess(args=(), returncode=0, stdout="", stderr=f"openjdk {banner}\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: response)

    with pytest.raises(PrerequisiteError, match=f"^Java {major} is too old, Kafka needs 17: apt-get"):
        find_java({"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("log", "code", "reason"),
    [
        (
            "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file",
            127,
            "mongod needs the library libcurl.so.4: apt-get install libcurl4",
        ),
        (
            "mongod: error while loading shared libraries: libodd.so.1: cannot open shared object file",
            127,
            "mongod needs the library libodd.so.1: install the package that has it",
        ),
        (
            "mongod: /lib/libc.so.6: version `GLIBC_2.34' not found (required by mongod)",
            1,
            "mongod needs glibc 2.34: use Debian 12, Ubuntu 22.04 or newer",
        ),
        ("", -signal.SIGILL, "mongod needs a processor with AVX: this machine has none"),
        (
            "write: No space left on device",
            100,
            "mongod found the disk full: free some space or set WAYBILL_HOME to another disk",
        ),
        ("anything else", 1, None),
    ],
)
def test_a_death_by_a_missing_library_is_explained(log: str, code: int, reason: str | None) -> None:
    assert explain_death("mongod", exit_code=code, log_tail=["first line", log]) == reason


@pytest.mark.parametrize(
    ("log", "line"),
    [
        (
            """\x1b[0m\x1b[0m[WARNING] slow
\x1b[0m[ERROR] Failed to execute goal x: Could not transfer artifact: Unknown host -> [Help 1]
[ERROR]
[ERROR] Re-run Maven using the -X switch""",
            "Failed to execute goal x: Could not transfer artifact: Unknown host",
        ),
        ("\nThe JAVA_HOME environment variable is not defined correctly\n", "The JAVA_HOME environment"),
        ("", "Maven said nothing"),
    ],
)
def test_mavens_error_is_one_line(log: str, line: str) -> None:
    assert maven_error(log).startswith(line)
    assert "\n" not in maven_error(log)
