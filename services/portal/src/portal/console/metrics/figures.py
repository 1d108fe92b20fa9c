"""Figures of the pipeline, whatever they come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple, Protocol

SPAN_S: Final = 3_600.0
FRESH_S: Final = 90.0
"""A figure that is older is unknown."""


class Quantity(Enum):
    """A measured quantity; latencies are in seconds, from acceptance to the transaction."""

    ACCEPTED = "accepted"
    APPLIED = "applied"
    REJECTED = "rejected"
    DEAD = "dead"
    P50 = "p50"
    P99 = "p99"
    LAG = "lag"


class Point(NamedTuple):
    """A value at a time, in seconds since 1970; None: unknown, or there was nothing to measure."""

    at: float
    value: float | None


Series = Sequence[Point]


@dataclass(frozen=True, slots=True)
class Figures:
    """The last hour, or as much of it as is known.

    Attributes:
        series: of each quantity, oldest point first.
        since: when the first point was taken; None: there is none yet.
        source: `prometheus`, `services` or `none`.
        problems: what is missing, and why.
    """

    series: Mapping[Quantity, Series] = field(default_factory=dict)
    since: float | None = None
    source: str = "none"
    problems: tuple[str, ...] = ()

    def of(self, quantity: Quantity) -> Series:
        """Return the points of a quantity."""
        return self.series.get(quantity, ())

    def latest(self, quantity: Quantity, *, now: float) -> Point | None:
        """Return the newest value of a quantity; None: there is none that is fresh."""
        known = (each for each in reversed(self.of(quantity)) if each.value is not None)
        point = next(known, None)
        return point if point is not None and now - point.at <= FRESH_S else None


class FigureSource(Protocol):
    """Source of figures."""

    async def figures(self) -> Figures:
        """Return the last hour."""
