"""MirrorMaker's program, as Kafka's distribution has it."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from devstack.home.programs import find_java, find_maven
from devstack.parts.kafka_jars import KAFKA_VERSION

ROOT: Final = Path(__file__).parents[3]
_POM: Final = Path(__file__).with_name("pom.xml")
_LOGGING: Final = ROOT / "tools/devstack/src/devstack/parts/log4j2.xml"
_HEAP_MB: Final = 256


def mirror_program(directory: Path) -> Path:
    """Write `connect-mirror-maker.sh` into a directory, as small as this machine, and return its path."""
    program = directory / "bin/connect-mirror-maker.sh"
    if not program.exists():
        program.parent.mkdir(exist_ok=True)
        options = f"-Xmx{_HEAP_MB}m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
        logging = f"-Dlog4j2.configurationFile={_LOGGING.as_uri()}"
        main = "org.apache.kafka.connect.mirror.MirrorMaker"
        command = f"exec {find_java(os.environ)} {options} {logging} -cp '{_jars()}/*' {main} \"$@\"\n"
        program.write_text(f"#!/bin/sh\n{command}")
        program.chmod(0o755)
    return program


def _jars() -> Path:
    """Return the directory with MirrorMaker's jars; Maven fetches them the first time."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "waybill")
    jars = cache / f"mirror-{KAFKA_VERSION}"
    if jars.is_dir():
        return jars
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="mirror-download-") as directory:
        shutil.copy(_POM, directory)
        fetched = Path(directory, "jars")
        command = [str(find_maven(os.environ)), "-q", "-B", "-f", str(Path(directory, _POM.name))]
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={fetched}", "-DincludeScope=runtime"]
        subprocess.run([*command, *goal], check=True)  # our own pom
        fetched.rename(jars)
    return jars
