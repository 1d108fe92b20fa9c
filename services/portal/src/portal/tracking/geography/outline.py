"""The outline of land and the borders of countries, cut to a viewport, as paths of SVG."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Final

from portal.tracking.geography.viewport import Point, Viewport, projected

PER_DEGREE: Final = 100
OVERLAP: Final = 0.02
"""Ground beyond the edges, in parts of the width: the line along a cut is not seen."""
FINEST: Final = 3
"""Units of the map between two points of a line, at least."""
_ROUND: Final = 360.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line on the earth, and the rectangle that it lies in."""

    points: tuple[Point, ...]
    bounds: Viewport


@dataclass(frozen=True, slots=True)
class Outline:
    """Paths of SVG, in units of the map."""

    land: str
    borders: str


@lru_cache(maxsize=512)
def outline_in(viewport: Viewport) -> Outline:
    """Return what a viewport shows; the same one is asked for again with each news of a shipment."""
    land, borders = _lines()
    edges = _wider(viewport)
    shapes = (_cut_area(points, edges) for points in _near(land, edges))
    lines = (part for points in _near(borders, edges) for part in _cut_line(points, edges))
    return Outline(_path(shapes, viewport, "z"), _path(lines, viewport, ""))


@cache
def _lines() -> tuple[list[Line], list[Line]]:
    text = files("portal").joinpath("tracking", "geography", "outline.json").read_text()
    outline = json.loads(text)
    land, borders = ([_line(deltas) for deltas in outline[name]] for name in ("land", "borders"))
    return land, borders


def _line(deltas: Sequence[int]) -> Line:
    lng = lat = 0
    points = []
    for place in range(0, len(deltas), 2):
        lng, lat = lng + deltas[place], lat + deltas[place + 1]
        points.append(projected(lng / PER_DEGREE, lat / PER_DEGREE))
    easts, norths = zip(*points, strict=True)
    return Line(tuple(points), Viewport(min(easts), min(norths), max(easts), max(norths)))


def _wider(viewport: Viewport) -> Viewport:
    more = (viewport.east - viewport.west) * OVERLAP
    return Viewport(viewport.west - more, viewport.south - more, viewport.east + more, viewport.north + more)


def _near(lines: Sequence[Line], edges: Viewport) -> Iterator[Sequence[Point]]:
    """Yield the lines that may be inside, on this turn around the earth or on its neighbours."""
    for turn in (-_ROUND, 0.0, _ROUND):
        for line in lines:
            bounds = line.bounds
            if (
                bounds.west + turn <= edges.east
                and bounds.east + turn >= edges.west
                and bounds.south <= edges.north
                and bounds.north >= edges.south
            ):
                yield line.points if not turn else [(east + turn, north) for east, north in line.points]


def _sides(edges: Viewport) -> tuple[tuple[int, float, int], ...]:
    """Return axis, limit and direction of each side."""
    return (0, edges.west, 1), (0, edges.east, -1), (1, edges.south, 1), (1, edges.north, -1)


def _cut_area(points: Sequence[Point], edges: Viewport) -> Sequence[Point]:
    """Cut a closed line by one side after the other (Sutherland and Hodgman)."""
    for axis, limit, direction in _sides(edges):
        kept: list[Point] = []
        before = points[-1] if points else (0.0, 0.0)
        was_inside = (before[axis] - limit) * direction >= 0
        for point in points:
            is_inside = (point[axis] - limit) * direction >= 0
            if is_inside != was_inside:
                kept.append(_crossing(before, point, axis, limit))
            if is_inside:
                kept.append(point)
            before, was_inside = point, is_inside
        points = kept
    return points


def _cut_line(points: Sequence[Point], edges: Viewport) -> Iterator[list[Point]]:
    """Yield the parts of an open line that are inside, up to the first point outside."""
    part: list[Point] = []
    for before, after in pairwise(points):
        if not _is_inside(before, edges) and not _is_inside(after, edges):
            if part:
                yield part
            part = []
            continue
        part = part or [before]
        part.append(after)
    if part:
        yield part


def _is_inside(point: Point, edges: Viewport) -> bool:
    return edges.west <= point[0] <= edges.east and edges.south <= point[1] <= edges.north


def _crossing(one: Point, other: Point, axis: int, limit: float) -> Point:
    share = (limit - one[axis]) / (other[axis] - one[axis])
    east, north = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return (limit, north) if axis == 0 else (east, limit)


def _path(lines: Iterable[Sequence[Point]], viewport: Viewport, end: str) -> str:
    return "".join(_part(points, viewport, end) for points in lines)


def _part(points: Sequence[Point], viewport: Viewport, end: str) -> str:
    """Return a line as a part of a path, in whole units; what is finer than `FINEST` is left out."""
    spots = list(_coarse(viewport.to_map(point) for point in points))
    if len(spots) <= len(end) + 1:
        return ""
    ways = (f"{x - a} {y - b}" for (a, b), (x, y) in pairwise(spots))
    return f"M{spots[0][0]} {spots[0][1]}l{' '.join(ways)}{end}"


def _coarse(spots: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    before: tuple[int, int] | None = None
    for spot in spots:
        if before is None or abs(spot[0] - before[0]) + abs(spot[1] - before[1]) >= FINEST:
            before = spot
            yield spot
