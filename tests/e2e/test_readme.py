"""The README's calls work as printed."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.stack import StackAddresses

README = Path(__file__).parents[2] / "README.md"


def calls() -> str:
    """Return the shell blocks of the README that call the API, as one script."""
    blocks = re.findall(r"^```sh\n(.*?)^```", README.read_text(), flags=re.MULTILINE | re.DOTALL)
    return "\n".join(block for block in blocks if "curl" in block)


@pytest.mark.stack
def test_readme_calls_move_a_shipment(stack: StackAddresses, tmp_path: Path) -> None:
    script = calls().replace("http://localhost:8080", stack.gateway_url)
    script = script.replace("/tmp/", f"{tmp_path}/")  # noqa: S108  # what the README says
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, check=True
    )

    assert '"status":"created"' in ran.stdout
    assert '"status":"queued"' in ran.stdout
    assert '"received":2' in ran.stdout
    assert '"outcome":"applied"' in ran.stdout
    assert re.search(r'"current_status":"(picked_up|in_warehouse|in_transit)"', ran.stdout)
    assert '"database":"ok"' in ran.stdout
    assert '"error"' not in ran.stdout
