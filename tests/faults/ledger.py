"""History of requests: every call, with the ids of its events and how it ended."""

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum

from domain.shipments.event_identity import EventId
from tests.support.history import Sent


class Ended(StrEnum):
    """End of a call (the three of a Jepsen history)."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Ledger:
    """Counts, for each event, of the calls that must have put it into the log and of those that may have."""

    def __init__(self) -> None:
        self._ok: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self._failed: set[str] = set()
        self.calls: Counter[tuple[str, str]] = Counter()
        self.faults: list[str] = []

    @property
    def acknowledged(self) -> int:
        """Number of acknowledged events, repetitions included."""
        return self._ok.total()

    def record(self, what: str, ended: Ended, event_ids: Iterable[str], *, response: str) -> None:
        """Record a call.

        Args:
            what: method and route.
            ended: whether its events are in the log.
            event_ids: one for each event, with repetitions.
            answer: the status, or what came instead of one.
        """
        self.calls[what, response] += 1
        match ended:
            case Ended.OK:
                self._ok.update(event_ids)
            case Ended.UNKNOWN:
                self._unknown.update(event_ids)
            case Ended.FAILED:
                self._failed.update(event_ids)

    def sent(self) -> Iterator[Sent]:
        """Return how often each event must be in the log, and how often it may be there beyond that."""
        for event_id in self._ok.keys() | self._unknown.keys() | self._failed:
            yield Sent(EventId(event_id), self._ok[event_id], self._unknown[event_id])
