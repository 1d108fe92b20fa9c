"""The part of the earth that a map shows, in Mercator's projection."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from domain.shipments.public_view import Position

WIDTH: Final = 640
HEIGHT: Final = 320
"""Size of a map, in its own units."""
SMALLEST_SPAN: Final = 12.0
"""Degrees of longitude that a map shows at least, so that there is something to recognise."""
MARGIN: Final = 0.35
"""Ground around the positions, in parts of their span."""
_LAST_LATITUDE: Final = 80.0
_ROUND: Final = 360.0

Point = tuple[float, float]
"""A point of the projection: east and north, in degrees at the equator."""


@dataclass(frozen=True, slots=True)
class Viewport:
    """A rectangle of the projection, with the proportions of a map."""

    west: float
    south: float
    east: float
    north: float

    def to_map(self, point: Point) -> tuple[int, int]:
        """Return a point in units of the map, from its upper left corner."""
        scale = WIDTH / (self.east - self.west)
        return round((point[0] - self.west) * scale), round((self.north - point[1]) * scale)


def projected(lng: float, lat: float) -> Point:
    """Return a position in the projection; the ends of the earth are cut off."""
    bounded = math.radians(max(-_LAST_LATITUDE, min(_LAST_LATITUDE, lat)))
    return lng, math.degrees(math.asinh(math.tan(bounded)))


def route_of(positions: Iterable[Position]) -> list[Point]:
    """Return positions in the projection, each on the nearer side of the one before it.

    A route across the 180th meridian goes on beyond it.
    """
    route: list[Point] = []
    for position in positions:
        lng, north = projected(position.lng, position.lat)
        if route:
            lng -= _ROUND * round((lng - route[-1][0]) / _ROUND)
        route.append((lng, north))
    return route


def around(route: list[Point]) -> Viewport:
    """Return a viewport with all points of a route, and some ground around them."""
    easts, norths = zip(*route, strict=True)
    across, along = max(easts) - min(easts), max(norths) - min(norths)
    width = max(SMALLEST_SPAN, across * (1 + MARGIN), along * (1 + MARGIN) * WIDTH / HEIGHT)
    height = width * HEIGHT / WIDTH
    middle_east, middle_north = (max(easts) + min(easts)) / 2, (max(norths) + min(norths)) / 2
    return Viewport(
        west=middle_east - width / 2,
        south=middle_north - height / 2,
        east=middle_east + width / 2,
        north=middle_north + height / 2,
    )
