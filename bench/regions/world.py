"""Two regions in miniature: logs, stores, a mirror between them, and senders that repeat.

One partition: partitions share nothing, so each behaves as this one. The rules of a store are those of
`domain.processing.judging`, with shipments that go through steps: the first creates them, and each is legal
after the one before.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple

SHIPMENTS: Final = 6
STEPS: Final = 5


class Record(NamedTuple):
    """An event as the log has it; the same scan, sent again, is an equal record.

    Attributes:
        is_stray: of another source, which reports a step too early, once.
    """

    shipment: int
    step: int
    is_stray: bool = False


@dataclass(slots=True)
class Outcome:
    """Outcome of an event, and the highest offset that was counted for it."""

    applied: bool
    last_offset: int


@dataclass(slots=True)
class Store:
    """MongoDB of a region: outcomes, shipments and the fence, which move together.

    Attributes:
        holds: early events of a shipment that exists are held, and applied when their predecessor is.
        history: every application of an event, in order.
        next_offset: the fence: one above the highest offset that is applied.
    """

    holds: bool = False
    held: list[Record] = field(default_factory=list)
    outcomes: dict[Record, Outcome] = field(default_factory=dict)
    reached: Counter[int] = field(default_factory=Counter)
    history: list[Record] = field(default_factory=list)
    next_offset: int = 0

    def take(self, record: Record, offset: int) -> None:
        """Judge a record, unless it was counted before, and move the fence past it."""
        known = self.outcomes.get(record)
        redelivered = offset < self.next_offset
        self.next_offset = max(self.next_offset, offset + 1)
        if known is not None and redelivered and offset <= known.last_offset:
            return
        if known is not None and known.applied:
            known.last_offset = offset
            return
        self.outcomes[record] = Outcome(applied=False, last_offset=offset)
        if self._apply(record):
            while any(self._apply(each) for each in self.held):
                pass
        elif self.holds and 0 < self.reached[record.shipment] < record.step:
            self.held.append(record)

    def _apply(self, record: Record) -> bool:
        if self.reached[record.shipment] != record.step - 1:
            return False
        self.reached[record.shipment] = record.step
        self.history.append(record)
        self.outcomes[record].applied = True
        return True

    def applied(self) -> set[Record]:
        """Return the events that are applied."""
        return {record for record, outcome in self.outcomes.items() if outcome.applied}


def folded(log: Sequence[Record], *, holds: bool) -> Store:
    """Return the store of a log that was read once, from its beginning to its end."""
    store = Store(holds)
    for offset, record in enumerate(log):
        store.take(record, offset)
    return store


@dataclass(slots=True)
class Region:
    """A log, its processor and its store.

    Attributes:
        position: the offset that the processor reads next.
        committed: the offset of its group, which lags behind.
    """

    log: list[Record] = field(default_factory=list)
    store: Store = field(default_factory=Store)
    position: int = 0
    committed: int = 0

    def process(self, most: int) -> None:
        """Apply up to `most` records."""
        for record in self.log[self.position : self.position + most]:
            self.store.take(record, self.position)
            self.position += 1

    def restart(self) -> None:
        """Let another processor take over: it reads from the group's offset, or from the fence before it."""
        self.position = min(self.committed, self.store.next_offset)

    def drain(self) -> None:
        """Apply the whole log."""
        self.process(len(self.log))


@dataclass(slots=True)
class Mirror:
    """MirrorMaker: copies one log to the end of another.

    Attributes:
        exactly_once: its position is written together with the copies; else it is written now and then, and
            a restart repeats what was copied since.
    """

    source: Region
    target: Region
    exactly_once: bool = True
    position: int = 0
    saved: int = 0

    @property
    def missing(self) -> list[Record]:
        """Records that are not copied yet."""
        return self.source.log[self.position :]

    def copy(self, most: int) -> None:
        """Copy up to `most` records."""
        records = self.missing[:most]
        self.target.log += records
        self.position += len(records)
        if self.exactly_once:
            self.saved = self.position

    def restart(self) -> None:
        """Continue at the saved position."""
        self.position = self.saved

    def drain(self) -> None:
        """Copy all that is missing."""
        self.copy(len(self.missing))


@dataclass(slots=True)
class Senders:
    """Senders of the shipments' scans: each repeats a scan until it is acknowledged, then sends the next one.

    Now and then a scan is sent before its predecessor, and again in its turn, or another source does so once.

    Attributes:
        acknowledged: how often each event was acknowledged.
    """

    chance: Random
    acknowledged: Counter[Record] = field(default_factory=Counter)
    _waiting: dict[int, list[Record]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Plan the scans of every shipment."""
        for shipment in range(SHIPMENTS):
            scans = [Record(shipment, step) for step in range(1, STEPS + 1)]
            early = self.chance.randrange(1, STEPS)
            if self.chance.choice((True, True, False)):
                too_early = Record(shipment, early + 1, is_stray=self.chance.choice((True, False)))
                scans.insert(self.chance.randrange(early), too_early)
            self._waiting[shipment] = scans

    def send(self, region: Region, shipments: Sequence[int] = range(SHIPMENTS)) -> None:
        """Send the next scan of one of the shipments; one acknowledgement in eight is lost on its way."""
        open_ones = [shipment for shipment in shipments if self._waiting[shipment]]
        if not open_ones:
            return
        waiting = self._waiting[self.chance.choice(open_ones)]
        region.log.append(waiting[0])
        if self.chance.random() < 7 / 8:
            self.acknowledged[waiting.pop(0)] += 1

    def finish(self, region: Region) -> None:
        """Send all that remains."""
        while any(self._waiting.values()):
            self.send(region)
