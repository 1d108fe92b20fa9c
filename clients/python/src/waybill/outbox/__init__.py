"""An outbox for scanners: scans are kept on the device until the API has answered for each of them."""

from waybill.outbox.errors import (
    InvalidScan,
    OutboxBusy,
    OutboxError,
    OutboxFull,
)
from waybill.outbox.flushing import FlushResult
from waybill.outbox.outbox import Outbox, OutboxStatus
from waybill.outbox.scans import RefusedScan, Scan

__all__ = [
    "FlushResult",
    "InvalidScan",
    "Outbox",
    "OutboxBusy",
    "OutboxError",
    "OutboxFull",
    "OutboxStatus",
    "RefusedScan",
    "Scan",
]
