"""The TypeScript client as a customer has it: packed, and installed into a folder."""

import os
import subprocess
from pathlib import Path
from shutil import copytree, ignore_patterns

from tests.support.node_tools import NODE, TYPESCRIPT_CLIENT, run_node

_NPM = NODE.parents[1] / "lib/node_modules/npm/bin/npm-cli.js"


def install_client(folder: Path) -> None:
    """Pack a copy of the client's sources, and install the package into a folder.

    Raises:
        AssertionError: the sources do not compile, or what checks the contract is not installed.
    """
    sources = folder / "sources"
    copytree(TYPESCRIPT_CLIENT, sources, ignore=ignore_patterns("node_modules", "dist"))
    (sources / "node_modules").symlink_to(TYPESCRIPT_CLIENT / "node_modules")
    path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
    packed = run_node(_NPM, "pack", "--silent", "--pack-destination", folder, cwd=sources, env={"PATH": path})
    assert packed.returncode == 0, packed.stdout + packed.stderr
    installed = folder / "node_modules/@waybill/client"
    installed.mkdir(parents=True)
    archive = folder / packed.stdout.split()[-1]
    subprocess.run(["tar", "-xf", archive, "-C", installed, "--strip-components=1"], check=True)
    (folder / "node_modules/@types").symlink_to(TYPESCRIPT_CLIENT / "node_modules/@types")
