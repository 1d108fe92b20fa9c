"""A process that is killed before any statement of `flush()` loses, repeats and reorders nothing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import number
from tests.support.crashing.outbox_deaths import BAD, BAD_SOURCE, SCANS, SHIPMENTS, TEN
from tests.support.scan_server import Event, ScanServer, scan_server

KILLED = -9


def refuse_bad_source(event: Event) -> str | None:
    return "is not taken today" if event["source"] == BAD_SOURCE else None


def rounds(server: ScanServer, folder: Path, *, visits: int, within_s: int) -> list[dict[str, Any]]:
    server.refuses = refuse_bad_source
    ran = subprocess.run(
        [sys.executable, "-m", "tests.support.crashing.outbox_deaths", server.url, str(folder), str(visits)],
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


def assert_whole(server: ScanServer, each: dict[str, Any]) -> None:
    """Check that every scan of a round has arrived, in order, and that the bad one is in the tray."""
    assert each["code"] == KILLED, each
    assert each["end"] == [0, 1], each
    arrived = [event for event in server.arrived if event["notes"] == each["round"]]
    for shipment in range(SHIPMENTS):
        first = dict.fromkeys(e["timestamp"] for e in arrived if e["tracking_number"] == number(shipment))
        minutes = [int(time[14:16]) - TEN.minute for time in first]
        assert minutes == [index for index in range(shipment, SCANS, SHIPMENTS) if index != BAD], each


def assert_covered(found: list[dict[str, Any]]) -> None:
    """Check that deaths have struck before, between and after the requests."""
    left = {each["after"][0] for each in found}
    assert left == {SCANS, SCANS - 3, SCANS - 6, 0}


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_flush_killed_at_every_statement_sends_each_scan_once(tmp_path: Path) -> None:
    with scan_server() as server:
        found = rounds(server, tmp_path, visits=1, within_s=230)
        assert len(found) > 100, "statements were traced"
        for each in found:
            assert_whole(server, each)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_flush_killed_at_every_statement_of_three_requests_sends_each_scan_once(tmp_path: Path) -> None:
    with scan_server() as server:
        found = rounds(server, tmp_path, visits=9, within_s=590)
        assert_covered(found)
        for each in found:
            assert_whole(server, each)
