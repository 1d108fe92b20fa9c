"""The ring of a shipment's checkpoints: bounded, harmless to repeat, and one history to its readers."""

from collections.abc import Sequence

import pytest

from storage.mongo.checkpoints import (
    COUNT,
    MAX_CHECKPOINTS,
    RING,
    Document,
    RingChange,
    with_checkpoints,
)


def entry(index: int, status: str = "in_transit") -> Document:
    return {"checkpoint": f"code_{index}", "status": status, "timestamp": index, "location": None}


def written(sizes: Sequence[int], *, times: int = 1) -> Document:
    """Return a shipment after batches of these sizes, each written `times` times."""
    shipment: Document = {
        "current_status": "in_transit",
        "status_history": [{"status": "created"}, {"status": "in_transit"}],
    }
    before = 0
    for size in sizes:
        entries = [entry(before + index) for index in range(size)]
        for _ in range(times):
            fields: Document = {}
            ring = RingChange(before)
            for each in entries:
                ring.add(each)
            ring.put_into(fields)
            for path, value in fields.items():
                name, _, slot = path.partition(".")
                if slot:  # as `$set` does: over the slot, or behind the last one
                    shipment[name][int(slot) : int(slot) + 1] = [value]
                else:
                    shipment[name] = value
        before += size
    return shipment


@pytest.mark.parametrize(
    "sizes", [[0], [1], [3, 1], [99, 1], [100], [100, 1], [101], [60, 60], [250], [1, 250], [70, 130, 1, 99]]
)
def test_the_last_hundred_stay_in_their_order_and_repeating_changes_nothing(sizes: Sequence[int]) -> None:
    total = sum(sizes)
    shipment = written(sizes)
    assert shipment == written(sizes, times=2)
    assert shipment.get(COUNT, 0) == total
    assert len(shipment.get(RING, [])) == min(total, MAX_CHECKPOINTS)
    shown = with_checkpoints(shipment)
    codes = [each["checkpoint"] for each in shown["status_history"][2:]]
    assert codes == [f"code_{index}" for index in range(max(0, total - MAX_CHECKPOINTS), total)]
    assert not {RING, COUNT} & shown.keys()
    last = {"checkpoint": f"code_{total - 1}", "timestamp": total - 1, "location": None}
    assert shown.get("last_checkpoint") == (last if total else None)


def test_checkpoints_follow_the_status_that_held_and_the_last_one_ends_with_it() -> None:
    statuses = ["created", "picked_up", "in_warehouse", "in_transit"]
    shipment: Document = {
        "current_status": "in_transit",
        "status_history": [{"status": status} for status in statuses],
        RING: [entry(0, "picked_up"), entry(1, "picked_up"), entry(2, "in_warehouse")],
        COUNT: 3,
    }
    shown = with_checkpoints(shipment)
    walked = [each.get("checkpoint", each["status"]) for each in shown["status_history"]]
    assert walked == [
        "created",
        "picked_up",
        "code_0",
        "code_1",
        "in_warehouse",
        "code_2",
        "in_transit",
    ]
    assert "last_checkpoint" not in shown


def test_a_retracted_checkpoint_leaves_its_slot_to_the_next_one() -> None:
    ring = RingChange()
    for index in range(MAX_CHECKPOINTS + 50):
        ring.add(entry(index))
    for _ in range(2):
        ring.remove_last()
    ring.add(entry(900))
    shipment: Document = {"current_status": "in_transit", "status_history": [{"status": "in_transit"}]}
    ring.put_into(shipment)
    assert (shipment[COUNT], len(shipment[RING])) == (MAX_CHECKPOINTS + 49, MAX_CHECKPOINTS)
    codes = [each["checkpoint"] for each in with_checkpoints(shipment)["status_history"][1:]]
    assert codes == [*(f"code_{index}" for index in range(50, MAX_CHECKPOINTS + 48)), "code_900"]


def test_without_checkpoints_there_is_no_ring() -> None:
    ring = RingChange(1)
    ring.remove_last()
    fields: Document = {}
    ring.put_into(fields)
    assert fields == {}
    ring.add(entry(7))
    ring.put_into(fields)
    assert fields == {COUNT: 1, RING: [entry(7)]}
