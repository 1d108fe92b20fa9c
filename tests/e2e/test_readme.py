"""The README's calls work as printed."""

import re
from pathlib import Path

import pytest

from tests.support.printed_calls import ROOT, calls, run_calls
from tests.support.stack import StackAddresses


@pytest.mark.stack
def test_readme_calls_move_a_shipment(stack: StackAddresses, tmp_path: Path) -> None:
    printed = run_calls(calls((ROOT / "README.md").read_text()), stack, tmp_path)

    assert '"status":"created"' in printed
    assert '"status":"queued"' in printed
    assert '"received":2' in printed
    assert '"outcome":"applied"' in printed
    assert re.search(r'"current_status":"(picked_up|in_warehouse|in_transit)"', printed)
    assert '"database":"ok"' in printed
    assert '"error"' not in printed
