"""Schedule of a seed: which faults occur, in which order, for how long, and how many at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final


class Kind(StrEnum):
    """Action on a part of the stack."""

    KILL = "killed"
    STOP = "stopped by SIGTERM"
    FREEZE = "frozen"
    STUTTER = "frozen half of the time"
    DISK_FULL = "out of disk"
    SLOW = "behind a slow link"
    SILENT = "behind a silent link"
    CUT = "behind a cut link"
    ANSWERS_LOST = "heard, but not answering"
    EMPTIED = "emptied"
    CROWDED = "joined by others"
    POISONED = "fed what nobody can read"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        part: a key of `stack.json`, or `log`.
        index: which of the replicas.
        lasts_s: how long; a kill is over at once.
    """

    kind: Kind
    part: str
    index: int = 0
    lasts_s: float = 0.0

    def __str__(self) -> str:
        """Return the action and its target as text."""
        return f"{self.part} {self.kind}"


@dataclass(frozen=True, slots=True)
class Step:
    """Faults that occur together, and the length of the calm before them."""

    calm_s: float
    faults: tuple[Fault, ...]


SESSION_S: Final = 6.0
"""Of a processor in the group: a freeze that is to be noticed lasts longer."""

_SERVICES: Final = ("ingest-api", "processor", "query-api", "webhooks", "gateway")
_STORES: Final = ("mongod", "redis", "kafka")
_LINKED: Final = (Kind.SLOW, Kind.SILENT, Kind.CUT, Kind.ANSWERS_LOST)
_REPLICATED: Final = ("ingest-api", "processor", "webhooks")
REPLICAS: Final = 2
_TOGETHER: Final = 0.3
"""Share of steps with two faults at once."""

_LENGTHS_S: Final[dict[Kind, tuple[float, float]]] = {
    Kind.FREEZE: (1.0, 5.0),
    Kind.STUTTER: (2.0, 5.0),
    Kind.DISK_FULL: (1.0, 3.0),
    Kind.SLOW: (2.0, 6.0),
    Kind.SILENT: (1.0, 6.0),
    Kind.CUT: (0.2, 3.0),
    Kind.ANSWERS_LOST: (0.5, 3.0),
    Kind.CROWDED: (4.0, 10.0),
}

CHOICES: Final[tuple[tuple[Kind, str], ...]] = (
    *((Kind.KILL, part) for part in (*_SERVICES, *_STORES)),
    *((Kind.STOP, part) for part in _SERVICES),
    *((Kind.FREEZE, part) for part in (*_SERVICES, *_STORES)),
    *((Kind.STUTTER, part) for part in ("mongod", "kafka")),
    *((Kind.DISK_FULL, part) for part in _STORES),
    *((kind, part) for kind in _LINKED for part in _STORES),
    # What the promise hangs on most is struck most.
    *((Kind.KILL, "processor"), (Kind.FREEZE, "processor"), (Kind.KILL, "mongod"), (Kind.KILL, "kafka")),
    *((Kind.EMPTIED, "redis"), (Kind.CROWDED, "processor"), (Kind.POISONED, "log")),
)


def draw(seed: int) -> Iterator[Step]:
    """Yield the steps of a seed, endlessly."""
    chance = Random(seed)  # noqa: S311  # a schedule that can be repeated
    while True:
        faults = [_fault(chance)]
        if chance.random() < _TOGETHER:
            faults += [other for other in [_fault(chance)] if other.part != faults[0].part]
        yield Step(chance.uniform(0.2, 2.0), tuple(faults))


def _fault(chance: Random) -> Fault:
    kind, part = chance.choice(CHOICES)
    index = chance.randrange(REPLICAS) if part in _REPLICATED else 0
    if (kind, part) == (Kind.FREEZE, "processor"):
        return Fault(kind, part, index, chance.uniform(1.0, 2 * SESSION_S))
    shortest, longest = _LENGTHS_S.get(kind, (0.0, 0.0))
    return Fault(kind, part, index, chance.uniform(shortest, longest))
