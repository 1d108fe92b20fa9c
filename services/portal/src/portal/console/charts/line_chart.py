"""Line charts: coordinates for an SVG, and the table behind it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from portal.console.metrics.figures import Point, Series

WIDTH: Final = 640
HEIGHT: Final = 180
LEFT: Final = 56
BOTTOM: Final = 24
TOP: Final = 8
SHORTEST_SPAN_S: Final = 120.0
TABLE_ROWS: Final = 12
_TICKS: Final = 4
_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)


class Line(NamedTuple):
    """A line to draw: its label is a message."""

    label: str
    points: Series


class DrawnLine(NamedTuple):
    """A line in coordinates.

    Attributes:
        path: of SVG; empty: there is nothing to draw.
        latest: the newest value; None: unknown.
    """

    label: str
    path: str
    latest: float | None


class Tick(NamedTuple):
    """A mark of an axis: its coordinate, and the value or the minutes before now."""

    place: float
    value: float


class Row(NamedTuple):
    """A row of the table: a time, and the value of each line then."""

    at: float
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A line chart.

    Attributes:
        name: its id in the page.
        title, description, unit: messages.
        rows: newest first.
        since: when measuring began, in seconds since 1970; None: it has not.
    """

    name: str
    title: str
    description: str
    unit: str
    lines: Sequence[DrawnLine]
    y_ticks: Sequence[Tick]
    x_ticks: Sequence[Tick]
    rows: Sequence[Row]
    since: float | None
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    bottom: int = BOTTOM

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to draw."""
        return not any(line.path for line in self.lines)


class Text(NamedTuple):
    """The texts of a chart, as messages, and its id in the page."""

    name: str
    title: str
    description: str
    unit: str


def line_chart(text: Text, lines: Sequence[Line], *, now: float, since: float | None, span_s: float) -> Chart:
    """Draw lines over the last `span_s` seconds, or over the time since `since` if that is shorter."""
    shown_s = span_s if since is None else min(span_s, max(SHORTEST_SPAN_S, now - since))
    top = _ceiling(max((each.value or 0.0 for line in lines for each in line.points), default=0.0))
    scale = _Scale(start=now - shown_s, span_s=shown_s, top=top)
    return Chart(
        *text,
        lines=[DrawnLine(each.label, scale.path(each.points), _latest(each.points)) for each in lines],
        y_ticks=[Tick(scale.y(top * step / _TICKS), top * step / _TICKS) for step in range(_TICKS + 1)],
        x_ticks=[Tick(scale.x(now - shown_s * step / 2), shown_s * step / 2 / 60) for step in (2, 1, 0)],
        rows=_rows(lines),
        since=since,
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    start: float
    span_s: float
    top: float

    def x(self, at: float) -> float:
        return round(LEFT + (WIDTH - LEFT) * (at - self.start) / self.span_s, 1)

    def y(self, value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / self.top), 1)

    def path(self, points: Series) -> str:
        """Return a path that has a gap where values are unknown."""
        steps, is_drawing = [], False
        for at, value in points:
            if value is None or at < self.start:
                is_drawing = False
                continue
            steps.append(f"{'L' if is_drawing else 'M'}{self.x(at)} {self.y(value)}")
            is_drawing = True
        return "".join(steps)


def _ceiling(value: float) -> float:
    """Return a round number that is not below a value."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    magnitude = 10.0 ** math.floor(math.log10(value))
    return next(step * magnitude for step in _STEPS if step * magnitude >= value * 0.999_999)


def _latest(points: Series) -> float | None:
    return points[-1].value if points else None


def _rows(lines: Sequence[Line]) -> Sequence[Row]:
    times = sorted({each.at for line in lines for each in line.points}, reverse=True)
    step = max(1, math.ceil(len(times) / TABLE_ROWS))
    known = [dict[float, float | None](_pairs(line.points)) for line in lines]
    return [Row(at, tuple(values.get(at) for values in known)) for at in times[::step]]


def _pairs(points: Series) -> Sequence[Point]:
    return points
