"""`outbox`: scans are kept without a network, sent with one, and the refused ones are shown."""

from pathlib import Path

import pytest

from tests.unit.clients.command.bodies import EVENT_ID, NUMBER
from tests.unit.clients.command.conftest import CommandResult, Run
from tests.unit.clients.command.stand_in import StandIn, refusal

AT = "2026-11-02T16:50:00Z"
QUEUED = {"index": 0, "event_id": EVENT_ID, "status": "queued"}
PROBLEM = {"pointer": "/events/1/source", "message": "your account may not report events of this source"}
REJECTED = {"index": 1, "status": "rejected", "error": "SOURCE_NOT_ALLOWED", "details": [PROBLEM]}
BATCH = {
    "received": 2,
    "queued": 1,
    "rejected": 1,
    "message": "Some events accepted",
    "events": [QUEUED, REJECTED],
}


@pytest.fixture
def outbox(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("WAYBILL_OUTBOX", str(tmp_path / "scans.db"))
    return lambda *arguments: run("outbox", *arguments)


def added(outbox: Run, status: str, source: str = "scanner-1") -> CommandResult:
    return outbox("add", NUMBER, status, "--source", source, "--timestamp", AT, "--json")


def test_a_scan_is_kept_without_a_network_or_credentials(outbox: Run) -> None:
    ended = added(outbox, "picked_up")
    assert ended.code == 0
    kept = {"id": 1, "tracking_number": NUMBER, "status": "picked_up", "source": "scanner-1"}
    assert ended.json == kept | {"timestamp": "2026-11-02T16:50:00.000Z"}
    assert outbox("list", "--json").json == [ended.json]
    counts = outbox("status", "--json").json
    assert (counts["pending"], counts["refused"], counts["overdue"]) == (1, 0, 0)


def test_an_invalid_scan_is_not_kept(outbox: Run) -> None:
    ended = added(outbox, "lost")
    assert ended.code == 2
    assert ended.err.startswith("error: /status: must be one of picked_up,")
    assert outbox("list", "--json").json == []


def test_a_refused_scan_is_shown_put_back_and_removed(outbox: Run, waybill: StandIn) -> None:
    added(outbox, "picked_up")
    added(outbox, "picked_up", source="dock-9")
    waybill.responses.append((202, BATCH))
    ended = outbox("flush", "--json")
    assert ended.code == 1
    assert (ended.json["queued"], ended.json["refused"]) == (1, 1)
    assert "see `waybill outbox refused`" in ended.err
    [shown] = outbox("refused", "--json").json
    assert (shown["id"], shown["source"], shown["error"]) == (2, "dock-9", "SOURCE_NOT_ALLOWED")
    assert shown["problems"] == ["/source your account may not report events of this source"]
    assert outbox("put-back", "2").code == 0
    assert [scan["id"] for scan in outbox("list", "--json").json] == [2]
    waybill.responses.append(
        refusal(403, "SOURCE_NOT_ALLOWED", "no", details=[{**PROBLEM, "pointer": "/events/0/source"}])
    )
    assert outbox("flush").code == 1
    assert outbox("remove", "2").code == 0
    assert outbox("refused", "--json").json == []
    assert outbox("remove", "2").code == 2


def test_without_a_network_the_scans_stay(outbox: Run, waybill: StandIn) -> None:
    added(outbox, "picked_up")
    waybill.responses.append(refusal(503, "SERVICE_UNAVAILABLE", "temporarily unavailable"))
    assert outbox("flush").code == 3
    assert len(outbox("list", "--json").json) == 1


def test_a_file_that_is_no_outbox_is_named(outbox: Run, tmp_path: Path) -> None:
    (tmp_path / "scans.db").write_text("tracking_number,status\n" * 99)
    ended = outbox("list")
    assert ended.code == 1
    assert "scans.db: the file is not an outbox" in ended.err
