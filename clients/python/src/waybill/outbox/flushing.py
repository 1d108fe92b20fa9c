"""One flush of an outbox: batch after batch, until everything that waited at its beginning is answered."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Final

from waybill.batches import MAX_EVENTS
from waybill.outbox.scans import Scan, line_of
from waybill.outbox.sending import Sender
from waybill.outbox.store import ScanStore

MAX_LINES: Final = MAX_EVENTS
"""Scans of a request."""
MAX_BYTES: Final = 1 << 20
"""Bytes of a request; the API takes 2 MiB."""
MAX_SKEW: Final = timedelta(seconds=30)
"""How far the device's clock may be off before a flush warns; the API refuses scans 5 minutes ahead."""

_LOG: Final = logging.getLogger("waybill.outbox")


@dataclass(frozen=True, slots=True)
class FlushResult:
    """Result of a flush.

    Attributes:
        queued: scans that the API has durably accepted.
        refused: scans that the API refused; they are in the tray.
        clock_skew: how far this device's clock is ahead of the API's, to a second and the time that an answer
            takes; negative if it is behind, None if no answer said so.
        warnings: what somebody should look at. The logger `waybill.outbox` has it too, also when the flush
            fails.
    """

    queued: int
    refused: int
    clock_skew: timedelta | None
    warnings: tuple[str, ...]


class Flush:
    """The flush of one outbox, whose lock the caller holds."""

    def __init__(self, store: ScanStore, sender: Sender) -> None:
        self._store = store
        self._sender = sender
        self._queued = 0
        self._refused = 0
        self._warnings: list[str] = []

    def warn(self, warning: str) -> None:
        """Log a warning, and keep it for the result."""
        _LOG.warning("%s: %s", self._store.path, warning)
        self._warnings.append(warning)

    def run(self) -> FlushResult:
        """Send everything that waits now; whatever stops it is raised, with a note of what was done."""
        try:
            self._send_all()
        except Exception as error:
            error.add_note(f"before: {self._queued} scans queued, {self._refused} refused; none is lost")
            raise
        finally:
            self._report()
        return FlushResult(self._queued, self._refused, self._sender.clock_skew, tuple(self._warnings))

    def _send_all(self) -> None:
        last, most = self._store.last_id(), MAX_LINES
        while scans := self._store.pending(most, last):
            lines = _within_bounds(scans)
            verdicts = self._sender.send(lines)
            if not verdicts:
                most = len(lines) // 2  # refused as a whole: too large for something on the way
                continue
            answered = [(scan.id, verdicts[index]) for index, scan in enumerate(scans) if index in verdicts]
            queued = [scan for scan, refusal in answered if refusal is None]
            refused = [(scan, refusal) for scan, refusal in answered if refusal is not None]
            self._store.settle(queued, refused, datetime.now(UTC))
            self._queued += len(queued)
            self._refused += len(refused)

    def _report(self) -> None:
        if self._refused:
            self.warn(f"{self._refused} scans were refused: see refused()")
        skew = self._sender.clock_skew
        if skew is not None and abs(skew) > MAX_SKEW:
            way = "ahead of" if skew > timedelta(0) else "behind"
            self.warn(
                f"this device's clock is {abs(skew)} {way} the API's: the times of scans are wrong by that"
            )


def _within_bounds(scans: Sequence[Scan]) -> list[str]:
    """Return the lines of the first scans, as many as a request may have: at least one."""
    lines = [line_of(scan.event) for scan in scans]
    ends = list(accumulate(len(line.encode()) + 1 for line in lines))
    return lines[: max(1, sum(end <= MAX_BYTES for end in ends))]
