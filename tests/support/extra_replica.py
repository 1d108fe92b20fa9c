"""One more replica beside those of a running stack, unknown to its supervisor."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.supervision.die_with_parent import dying_with_parent
from tests.support.ports import unused_port
from tests.support.stack import RunningStack


@contextmanager
def extra_replica(
    stack: RunningStack, group: str, name: str
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start a service as its first replica was started; give the process and its port; kill it at the end."""
    port = unused_port()
    # Without PROCESSOR_GROUP_INSTANCE, the name of the one it is started beside: it leaves the group at once.
    own = {"PORT": str(port), "INSTANCE_ID": name, "PROCESSOR_GROUP_INSTANCE": ""}
    process = _start(stack, group, name, own)
    try:
        yield process, port
    finally:
        process.kill()
        process.wait()


def _start(
    stack: RunningStack, group: str, name: str, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    running = Path(f"/proc/{stack.member(group).pid}/environ").read_text().rstrip("\0").split("\0")
    command = dying_with_parent((sys.executable, "-m", group.replace("-", "_")), death_signal=signal.SIGKILL)
    with (stack.home.logs / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            command,
            env=dict(variable.split("=", 1) for variable in running) | environment,
            stdout=log,
            stderr=log,
        )
