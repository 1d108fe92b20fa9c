"""`partitions` and `quarantine`."""

from tests.unit.operations.conftest import Run
from tests.unit.operations.stand_in import Json, StandIn, refusal

NUMBER = "99M-GMPWC6W7SP2G"
HALTED: Json = {
    "partition": 7,
    "owner": "processor-2",
    "epoch": 41,
    "next_offset": 48211,
    "halted": True,
    "reason": "100 dead letters in a row",
    "since": "2026-11-02T16:50:02.118Z",
    "resume_from": "committed",
    "skip_to": None,
    "resumption": None,
}
ENTRY: Json = {"tracking_number": NUMBER, "reason": "a bug", "since": "now", "requested_by": "ana"}


def test_partitions_are_listed(waybill: StandIn, run: Run) -> None:
    waybill.responses += [(200, {"data": [HALTED]})] * 2
    assert run("partitions", "list", "--json").json == [HALTED]
    assert "100 dead letters in a row" in run("partitions", "list").out


def test_a_partition_is_resumed_with_a_reason(waybill: StandIn, run: Run) -> None:
    waybill.responses += [(202, HALTED)] * 2
    assert run("partitions", "resume", "7", "--reason", "repaired", "--json").json == HALTED
    assert run("partitions", "resume", "7", "--reason", "lost", "--from", "earliest").code == 0
    assert [(asked.method, asked.path, asked.body) for asked in waybill.asked] == [
        ("POST", "/partitions/7/resume", {"reason": "repaired", "from": "committed"}),
        ("POST", "/partitions/7/resume", {"reason": "lost", "from": "earliest"}),
    ]


def test_without_a_reason_nothing_is_resumed_or_quarantined(waybill: StandIn, run: Run) -> None:
    assert run("partitions", "resume", "7").code == 2
    assert run("quarantine", "add", NUMBER).code == 2
    assert waybill.asked == []


def test_a_rejected_resume_is_reported(waybill: StandIn, run: Run) -> None:
    waybill.responses.append(refusal(409, "CANNOT_RESUME", "the partition is not halted"))
    ended = run("partitions", "resume", "7", "--reason", "repaired")
    assert (ended.code, ended.err) == (1, "error: the partition is not halted (CANNOT_RESUME)\n")


def test_a_shipment_is_quarantined_listed_and_released(waybill: StandIn, run: Run) -> None:
    waybill.responses += [(200, ENTRY), (200, {"data": [ENTRY]}), (204, b"")]
    assert run("quarantine", "add", NUMBER, "--reason", "a bug", "--json").json == ENTRY
    assert run("quarantine", "list", "--json").json == [ENTRY]
    ended = run("quarantine", "release", NUMBER)
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.startswith(f"{NUMBER} is released")
    assert [(asked.method, asked.path, asked.body) for asked in waybill.asked] == [
        ("PUT", f"/quarantine/{NUMBER}", {"reason": "a bug"}),
        ("GET", "/quarantine", None),
        ("DELETE", f"/quarantine/{NUMBER}", None),
    ]
