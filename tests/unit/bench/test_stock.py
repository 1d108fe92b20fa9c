"""The stock for reads: documents like those that the processor leaves."""

from bench.stock import BIG_CLIENT, owner_of, shipment

from domain.shipments.event_identity import tracking_number_of
from domain.shipments.status import Status


def test_a_shipment_has_come_as_far_as_its_history_says() -> None:
    for index in range(20):
        document = shipment(index)
        history = document["status_history"]
        assert document["current_status"] == history[-1]["status"]
        assert document["version"] == len(history)
        assert [tracking_number_of(entry["event_id"]) for entry in history] == [document["_id"]] * len(
            history
        )
        assert [entry["timestamp"] for entry in history] == sorted(entry["timestamp"] for entry in history)


def test_most_shipments_are_delivered_and_one_client_has_many() -> None:
    statuses = [shipment(index)["current_status"] for index in range(100)]
    assert statuses.count(Status.DELIVERED) == 60
    share = sum(owner_of(index) == BIG_CLIENT for index in range(5_000)) / 5_000
    assert 0.1 < share < 0.2
