"""Where a record of a shipment has to stand: the partition of its key, which is the shipment's number.

A partition has one owner at a time, and so has each shipment, as long as this holds. With records of one
shipment in two partitions two owners would write it, each from what it remembers.
"""

from domain.errors import PoisonRecord
from domain.shipments.tracking_number import TrackingNumber
from messaging.dead_letters.records import Record
from messaging.producer.idempotent_producer import partition_of


def require_place(record: Record, number: TrackingNumber, partitions: int) -> None:
    """Refuse a record of a shipment that stands where another shipment's should.

    Args:
        record: as the log gave it.
        number: whose record it is, by its value.
        partitions: that keys are spread over.

    Raises:
        PoisonRecord: it does; put back into the log by its key it may be applied.
    """
    require_key(record.key, number)
    expected = partition_of(number.encode(), partitions)
    if record.partition != expected:
        raise PoisonRecord(f"partition: {record.partition} is not that of the key, {expected}")


def require_key(key: bytes | None, number: TrackingNumber) -> None:
    """Refuse a record of a shipment under another key than its number.

    Raises:
        PoisonRecord: it has one, or none.
    """
    if key != number.encode():
        raise PoisonRecord(f"key: {_shown(key)} is not the subject, {number}")


def _shown(key: bytes | None) -> str:
    return "none" if key is None else repr(key[:50].decode(errors="backslashreplace"))
