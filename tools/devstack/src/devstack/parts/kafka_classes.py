"""An archive of the classes that a broker loads, made once for a Java and its jars.

With it a broker is ready in half the time, on half the CPU: the classes are mapped from it, not read from
jars, verified and linked at every start (Java's class-data sharing, JEP 350).
"""

import tempfile
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

from devstack.console.terminal import StackConsole
from devstack.errors import PartFailedError
from devstack.parts.kafka import Broker, Cluster
from devstack.supervision.child import Child
from devstack.supervision.launcher import Launcher

_NAME = "kafka-classes"


async def class_archive(launcher: Launcher, cluster: Cluster, *, console: StackConsole) -> Path | None:
    """Return the archive beside the jars; make it if it is missing.

    A broker is run for it in a temporary directory, on the ports of the first one of `cluster`, which does
    not run yet.

    Returns:
        None if it cannot be made, and brokers start without one: its log says why.
    """
    archive = cluster.jars.with_name(f"{cluster.jars.name}-{_version(cluster.java)}.jsa")
    if archive.is_file():
        return archive
    try:
        with tempfile.TemporaryDirectory(dir=archive.parent, prefix=f"{_NAME}-") as directory:
            with console.step("kafka classes"):
                made = await _archive(launcher, cluster, Path(directory))
            made.replace(archive)
    except (OSError, PartFailedError):
        return None
    return archive


def _version(java: Path) -> str:
    """Return a digest that is another one after an update of Java."""
    program = java.resolve()
    about = program.stat()
    return blake2b(f"{program} {about.st_size} {about.st_mtime_ns}".encode(), digest_size=4).hexdigest()


async def _archive(launcher: Launcher, cluster: Cluster, directory: Path) -> Path:
    first, made = cluster.brokers[0], directory / "classes.jsa"
    broker = Broker(number=1, home=directory, port=first.port, controller_port=first.controller_port)
    alone = replace(cluster, brokers=(broker,), classes=None)
    await alone.prepare(launcher)
    [part] = alone.parts()
    java, *arguments = part.command
    child = Child(
        replace(part, name=_NAME, command=(java, f"-XX:ArchiveClassesAtExit={made}", *arguments)), launcher
    )
    try:
        await child.start()
        await child.stop()
    finally:
        child.kill()
    return made
