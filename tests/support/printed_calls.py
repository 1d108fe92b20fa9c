"""Calls printed in documents, extracted to be run as they stand."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from tests.support.stack import StackAddresses

ROOT = Path(__file__).parents[2]
PRINTED_URL = "http://localhost:8080"
NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


def calls(text: str) -> str:
    """Return the shell blocks of a document that call the API, as one script."""
    return "\n".join(block for block in _blocks(text) if "curl" in block)


def _blocks(text: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def run_calls(
    script: str, stack: StackAddresses, scratch: Path, *, env: Mapping[str, str] = NO_VARIABLES
) -> str:
    """Run calls against a stack, and return their output; the first failure ends them."""
    script = script.replace(PRINTED_URL, stack.gateway_url)
    script = script.replace("/tmp/", f"{scratch}/")  # noqa: S108  # what the documents say
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "WAYBILL_"))}
        | dict(env),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    return ran.stdout
