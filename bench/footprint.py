"""Memory of a processor: records in flight, and shipments in its cache."""

import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from aiokafka.structs import ConsumerRecord
from bench.filling import make_filling
from bench.load import STARTED_AT

from domain.processing.batch import ConsumedCommand, by_shipment
from domain.processing.judging import judge
from domain.shipments.commands import ReportStatus
from domain.shipments.event_identity import creation_event_id, event_id
from domain.shipments.shipment import Shipment
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber, tracking_number_from
from messaging import codec
from processor.use_cases.shipment_cache import ShipmentCache

IN_FLIGHT: Final = 10_000
SHIPMENTS: Final = 20_000


def records_bytes() -> int:
    """Return the bytes of 10,000 fetched records that wait."""
    commands = make_filling(events=IN_FLIGHT, seed=1).commands[:IN_FLIGHT]
    return _held_by(lambda: [_record(at, command) for at, command in enumerate(commands)])


def judged_bytes() -> int:
    """Return the bytes of 10,000 events beside their records: decoded, judged, with their planned writes."""
    values = [codec.encode(each) for each in make_filling(events=IN_FLIGHT, seed=1).commands[:IN_FLIGHT]]

    def work() -> Any:  # noqa: ANN401  # only held
        decoded = [codec.decode(value) for value in values]
        consumed = [
            ConsumedCommand(command=each.command, offset=at, fingerprint=each.fingerprint)
            for at, each in enumerate(decoded)
        ]
        groups = by_shipment(consumed)
        known = {each.command.event_id: None for each in consumed}
        return [judge(group, _shipment(number), known) for number, group in groups.items()]

    return _held_by(work)


def shipment_bytes() -> float:
    """Return the bytes of one shipment with three events in the cache."""
    numbers = [tracking_number_from(index.to_bytes(7, "big")) for index in range(SHIPMENTS)]

    def work() -> ShipmentCache:
        cache = ShipmentCache(SHIPMENTS)
        cache.put(_shipment(number) for number in numbers)
        return cache

    return _held_by(work) / SHIPMENTS


def _record(offset: int, command: ReportStatus) -> Any:  # noqa: ANN401  # aiokafka ships no types
    key, value = command.tracking_number.encode(), codec.encode(command)
    return ConsumerRecord("t", 0, offset, offset, 0, key, value, None, len(key), len(value), ())


def _held_by(work: Callable[[], Any]) -> int:
    tracemalloc.start()
    try:
        held = work()
        size, _peak = tracemalloc.get_traced_memory()
        del held
    finally:
        tracemalloc.stop()
    return size


def _shipment(number: TrackingNumber) -> Shipment:
    later = (event_id(number, STARTED_AT + timedelta(hours=step), "scanner-1") for step in range(2))
    applied = (creation_event_id(number), *later)
    return Shipment(number, "client_001", Status.CREATED, 1, applied)
