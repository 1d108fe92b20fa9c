"""Schedule of a seed: which faults occur, in which order, for how long, and how many at once."""

from collections.abc import Iterator, Mapping
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
    FAILED_OVER = "failed over to its replica"
    STEPPED_DOWN = "told to step down"
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

ELECTED_S: Final = 5.0
"""Silence after which MongoDB elects another primary: a freeze that is to be noticed lasts longer."""

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


_OF_SENTINELS: Final = (
    *((Kind.FAILED_OVER, "redis"), (Kind.FAILED_OVER, "redis"), (Kind.FREEZE, "redis")),
    *((Kind.KILL, "redis-sentinel"), (Kind.FREEZE, "redis-sentinel")),
)
_OF_MEMBERS: Final = (
    *((Kind.STEPPED_DOWN, "mongod"), (Kind.STEPPED_DOWN, "mongod")),
    *((Kind.FREEZE, "mongod"), (Kind.KILL, "mongod"), (Kind.CUT, "mongod")),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """Numbers of servers of the stores.

    Attributes:
        sentinels: how many watch Redis, which then has a replica; 0: it is one server.
        members: how many servers MongoDB is.
        brokers: how many servers Kafka is.
    """

    sentinels: int = 0
    members: int = 1
    brokers: int = 1

    @property
    def choices(self) -> tuple[tuple[Kind, str], ...]:
        """Faults that it can have."""
        return (
            *((kind, part) for kind, part in CHOICES if part not in self.unlinked or kind not in _LINKED),
            *(_OF_SENTINELS if self.sentinels else ()),
            *(_OF_MEMBERS if self.members > 1 else ()),
        )

    @property
    def unlinked(self) -> frozenset[str]:
        """Stores that tell their clients the addresses of their own servers, so that no link lies between."""
        several = {"redis": self.sentinels > 0, "kafka": self.brokers > 1}
        return frozenset(store for store, is_several in several.items() if is_several)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many there are of each part that is more than one."""
        redis = {"redis": 2, "redis-sentinel": self.sentinels} if self.sentinels else {}
        stores = {"mongod": self.members, "kafka": self.brokers}
        several = {store: count for store, count in stores.items() if count > 1}
        return {**dict.fromkeys(_REPLICATED, REPLICAS), **redis, **several}

    def longest_freeze_s(self, part: str) -> float:
        """Return for how long a part is frozen at most: now and then beyond what replaces it."""
        replaced = {"processor": 2 * SESSION_S, **({"mongod": 3 * ELECTED_S} if self.members > 1 else {})}
        return replaced.get(part, _LENGTHS_S[Kind.FREEZE][1])


SINGLE_SERVERS: Final = Shape()


def draw(seed: int, shape: Shape = SINGLE_SERVERS) -> Iterator[Step]:
    """Yield the steps of a seed, endlessly."""
    chance = Random(seed)  # noqa: S311  # a schedule that can be repeated
    while True:
        faults = [_fault(chance, shape)]
        if chance.random() < _TOGETHER:
            faults += [other for other in [_fault(chance, shape)] if other.part != faults[0].part]
        yield Step(chance.uniform(0.2, 2.0), tuple(faults))


def _fault(chance: Random, shape: Shape) -> Fault:
    kind, part = chance.choice(shape.choices)
    count = shape.counts.get(part)
    index = 0 if count is None else chance.randrange(count)
    shortest, longest = _LENGTHS_S.get(kind, (0.0, 0.0))
    if kind is Kind.FREEZE:
        longest = shape.longest_freeze_s(part)
    return Fault(kind, part, index, chance.uniform(shortest, longest))
