"""Placement of records: the partition of the key, which is the shipment's tracking number.

A partition has one owner at a time, and so has each shipment, as long as this holds. With records of one
shipment in two partitions two owners would write it, each from its own cache.
"""

from domain.errors import PoisonRecord
from domain.shipments.tracking_number import TrackingNumber
from messaging.dead_letters.records import Record
from messaging.log.partitioning import partition_of


def require_place(record: Record, number: TrackingNumber, partitions: int) -> None:
    """Reject a record of a shipment in the wrong partition, or under the wrong key.

    Args:
        record: as fetched from the log.
        number: the shipment of the record, by its value.
        partitions: the number of partitions that keys are spread over.

    Raises:
        PoisonRecord: it is; replayed into the log by its key it may be applied.
    """
    require_key(record.key, number)
    expected = partition_of(number.encode(), partitions)
    if record.partition != expected:
        raise PoisonRecord(f"partition: {record.partition} is not that of the key, {expected}")


def require_key(key: bytes | None, number: TrackingNumber) -> None:
    """Reject a record of a shipment under another key than its number.

    Raises:
        PoisonRecord: it has one, or none.
    """
    if key != number.encode():
        raise PoisonRecord(f"key: {_printable(key)} is not the subject, {number}")


def _printable(key: bytes | None) -> str:
    return "none" if key is None else repr(key[:50].decode(errors="backslashreplace"))
