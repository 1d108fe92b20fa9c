"""`Outbox`: scans that are kept on this device until the API has answered for each of them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Final, Self, Unpack

from waybill._sync.client import Waybill
from waybill.fields import EventFields
from waybill.outbox.errors import InvalidScan
from waybill.outbox.flushing import Flush, FlushResult
from waybill.outbox.scans import Event, RefusedScan, Scan, checked, text_of
from waybill.outbox.sending import Sender
from waybill.outbox.store import ScanStore

MAX_SCANS: Final = 100_000
MAX_AGE: Final = timedelta(days=7)

_NEARLY_FULL: Final = 0.9


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """Contents of an outbox.

    Attributes:
        pending: scans that wait to be sent.
        refused: scans in the tray.
        overdue: pending scans that have waited for longer than the outbox's `max_age`.
        oldest_at: when the oldest pending scan was added; None if there is none.
        max_scans: scans that the outbox holds at most, pending and refused ones together.
    """

    pending: int
    refused: int
    overdue: int
    oldest_at: datetime | None
    max_scans: int


class Outbox:
    """Keeps the scans of a device that is not always online, in one file on a local disk.

    A scan is on the disk when `add` returns. `flush` sends the scans in the order in which they were added.
    It may be killed at any moment and called again: a scan that is sent twice is one event, because its
    shipment, source and time are its identity. Scans that the API refuses go to a tray (`refused`), from
    where they can be put back or removed.

    Any number of threads and processes may add, also while one of them flushes.

    Args:
        path: the file; it is created if it does not exist, for its owner alone.
        max_scans: how many scans it holds, pending and refused ones together; more are `OutboxFull`.
        max_age: how long a scan may wait before `flush` and `status` report it as overdue. It is still sent:
            the clock of a device is no reason to drop a scan.

    Raises:
        OutboxError: the file cannot be used: it is damaged, something else, of a newer version of waybill, or
            cannot be written.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, max_scans: int = MAX_SCANS, max_age: timedelta = MAX_AGE
    ) -> None:
        if max_scans < 1:
            raise ValueError("max_scans must be at least 1")
        self._max_scans = max_scans
        self._max_age = max_age
        self._store = ScanStore(Path(path).absolute())

    def __enter__(self) -> Self:
        """Return the outbox, which is closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def add(
        self,
        tracking_number: str,
        status: str | None = None,
        *,
        timestamp: datetime | str | None = None,
        **fields: Unpack[EventFields],
    ) -> Scan:
        """Store a scan durably, and return it; one that waits already is not stored again.

        Args:
            tracking_number: as typed or scanned; its check character is checked.
            status: such as `picked_up`; None if `checkpoint` is given.
            timestamp: when it happened: an aware datetime, or RFC 3339 text; None: now.
            fields: `source`, which is required: this device; `checkpoint`, `location`, `notes`, `signed_by`.

        Raises:
            InvalidScan: the scan is invalid; its `problems` name every fault.
            OutboxFull: there are `max_scans` scans.
            OutboxError: the file cannot be written, and the scan is not stored.
        """
        now = datetime.now(UTC)
        given = {
            **fields,
            "tracking_number": tracking_number,
            "status": status,
            "timestamp": now if timestamp is None else timestamp,
        }
        event = checked(given, now)
        if timestamp is None:
            return self._add_now(event, now)
        return self._store.add(event, now, self._max_scans)

    def pending(self) -> list[Scan]:
        """Return the scans that wait to be sent, in the order of sending."""
        return self._store.pending()

    def refused(self) -> list[RefusedScan]:
        """Return the scans that the API refused, each with its problems, in the order of adding."""
        return self._store.refused()

    def put_back(self, scan: int) -> None:
        """Let the next flush send a refused scan again, at the place that it had.

        Args:
            scan: its `id`.

        Raises:
            KeyError: no refused scan has the id.
            InvalidScan: another scan with the same shipment, source and time waits meanwhile.
        """
        if not self._store.put_back(scan):
            raise KeyError(f"no refused scan has the id {scan}")

    def remove(self, scan: int) -> None:
        """Delete a refused scan.

        Args:
            scan: its `id`.

        Raises:
            KeyError: no refused scan has the id.
        """
        if not self._store.remove(scan):
            raise KeyError(f"no refused scan has the id {scan}")

    def status(self) -> OutboxStatus:
        """Count the scans."""
        counts = self._store.counts(overdue_before=datetime.now(UTC) - self._max_age)
        return OutboxStatus(*counts, self._max_scans)

    def flush(self, client: Waybill, *, wait_s: float = 30.0) -> FlushResult:
        """Send the scans that wait now, in the order in which they were added.

        One request is in flight at a time, and it has the oldest scans: a scan is never sent before an
        earlier one has been answered, or is in the same request. Whatever stops a flush, the next one
        continues.

        Args:
            client: sends the requests, with its own retries and timeouts.
            wait_s: how long to wait in seconds while another thread or process flushes this outbox.

        Raises:
            TypeError: the client is another one; in asyncio use `asyncio.to_thread(outbox.flush, client)`.
            OutboxBusy: another flush took longer than `wait_s`.
            ApiError: the API did not take the request: 401 and 403 (look at the credentials), 429, 5xx. The
                scans stay, and a note of the error says how many were sent before.
            ConnectionFailed: there was no answer. The scans stay.
            OutboxError: the file cannot be used.
        """
        if not isinstance(client, Waybill):
            raise TypeError(f"flush() takes a Waybill, not {type(client).__name__}: run it in a thread")
        with self._store.flushing(wait_s):
            flush = Flush(self._store, Sender(client))
            for warning in self._warnings():
                flush.warn(warning)
            return flush.run()

    def _add_now(self, event: Event, now: datetime) -> Scan:
        """Store a scan of this moment; a millisecond later each time another one has the same identity."""
        for later in count():
            instant = now + timedelta(milliseconds=later)
            event["timestamp"] = text_of(instant)
            try:
                return self._store.add(event, now, self._max_scans)
            except InvalidScan:
                continue
        raise AssertionError("unreachable")

    def _warnings(self) -> Iterator[str]:
        status = self.status()
        held = status.pending + status.refused
        if status.overdue:
            waited = f"for more than {self._max_age}, since {status.oldest_at}"
            yield f"{status.overdue} scans have waited {waited}"
        if held >= self._max_scans * _NEARLY_FULL:
            yield f"holds {held} scans of {self._max_scans} at most, {status.refused} of them refused"
