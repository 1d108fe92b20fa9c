"""The README's calls work as printed, with the responses and times that it states."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.printed_calls import ROOT, calls, run_calls
from tests.support.stack import StackAddresses

README = (ROOT / "README.md").read_text()
LONGEST_LINE = 120


@pytest.mark.stack
def test_readme_calls_move_a_shipment(stack: StackAddresses, tmp_path: Path) -> None:
    printed = run_calls(calls(README), stack, tmp_path)

    registered, picked_up, batch, event, shipment, listed, health = map(json.loads, printed.splitlines())
    number = registered["tracking_number"]
    assert registered["status"] == "created"
    assert (picked_up["tracking_number"], picked_up["status"]) == (number, "applied")
    assert (batch["received"], batch["queued"]) == (2, 2)
    assert (event["event_id"], event["outcome"]) == (picked_up["event_id"], "applied")
    assert (shipment["tracking_number"], shipment["package"]["weight_kg"]) == (number, 2.5)
    assert shipment["current_status"] in {"picked_up", "in_warehouse", "in_transit"}
    assert listed["data"][0]["tracking_number"] == number
    assert health["status"] == health["checks"]["database"] == "ok"
    instants = [datetime.fromisoformat(entry["timestamp"]) for entry in shipment["status_history"]]
    assert instants == sorted(instants), "nothing happens before the creation"
    assert instants[-1] < datetime.now(UTC), "nor in the future"


@pytest.mark.parametrize("page", ["README.md", "docs/api.md", "docs/integration.md"])
def test_lines_are_short(page: str) -> None:
    """Tables are exempt: a row is one line."""
    lines = (ROOT / page).read_text().splitlines()
    assert [line for line in lines if len(line) > LONGEST_LINE and not line.startswith("|")] == []


@pytest.mark.parametrize("page", ["README.md", "docs/api.md"])
def test_calls_name_the_address_once_and_no_fixed_instant(page: str) -> None:
    printed = calls((ROOT / page).read_text())

    assert re.findall(r"\S*localhost\S*", printed) == ["API=http://localhost:8080"]
    assert re.findall(r'"timestamp\\?": ?\\?"(?!\$\(now\))', printed) == []
