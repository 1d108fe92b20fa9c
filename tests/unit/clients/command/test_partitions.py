"""`partitions` and `quarantine`."""

from tests.unit.clients.command.bodies import LISTED_PARTITION, NUMBER, PARTITION, QUARANTINED
from tests.unit.clients.command.conftest import Run
from tests.unit.clients.command.stand_in import StandIn, refusal


def test_partitions_are_listed(waybill: StandIn, ops: Run) -> None:
    waybill.responses += [(200, {"data": [LISTED_PARTITION]})] * 2
    assert ops("partitions", "list", "--json").json == [LISTED_PARTITION]
    assert "100 dead letters in a row" in ops("partitions", "list").out


def test_a_partition_is_resumed_with_a_reason(waybill: StandIn, ops: Run) -> None:
    waybill.responses += [(202, PARTITION)] * 2
    assert ops("partitions", "resume", "7", "--reason", "repaired", "--json").json == PARTITION
    assert ops("partitions", "resume", "7", "--reason", "lost", "--from", "earliest").code == 0
    assert [(asked.method, asked.path, asked.body) for asked in waybill.asked] == [
        ("POST", "/partitions/7/resume", {"reason": "repaired", "from": "committed"}),
        ("POST", "/partitions/7/resume", {"reason": "lost", "from": "earliest"}),
    ]


def test_without_a_reason_nothing_is_resumed_or_quarantined(waybill: StandIn, ops: Run) -> None:
    assert ops("partitions", "resume", "7").code == 2
    assert ops("quarantine", "add", NUMBER).code == 2
    assert waybill.asked == []


def test_a_rejected_resume_is_reported(waybill: StandIn, ops: Run) -> None:
    waybill.responses.append(refusal(409, "CANNOT_RESUME", "the partition is not halted"))
    ended = ops("partitions", "resume", "7", "--reason", "repaired")
    assert (ended.code, ended.err) == (1, "error: the partition is not halted (CANNOT_RESUME)\n")


def test_a_shipment_is_quarantined_listed_and_released(waybill: StandIn, ops: Run) -> None:
    waybill.responses += [(200, QUARANTINED), (200, {"data": [QUARANTINED]}), (204, b"")]
    assert ops("quarantine", "add", NUMBER, "--reason", "a bug", "--json").json == QUARANTINED
    assert ops("quarantine", "list", "--json").json == [QUARANTINED]
    ended = ops("quarantine", "release", NUMBER)
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.startswith(f"{NUMBER} is released")
    assert [(asked.method, asked.path, asked.body) for asked in waybill.asked] == [
        ("PUT", f"/quarantine/{NUMBER}", {"reason": "a bug"}),
        ("GET", "/quarantine", None),
        ("DELETE", f"/quarantine/{NUMBER}", None),
    ]
