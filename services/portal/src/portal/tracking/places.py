"""Names of places: the town that a rounded position is near.

What a driver wrote about a place is an address, which no page shows. The data: `towns.LICENSE.md`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from math import cos, floor, hypot, radians
from typing import Final

from domain.shipments.public_view import Position

_DATA: Final = "towns.tsv"
_KM_OF_A_DEGREE: Final = 111.2
_CITY_WITHIN_KM: Final = 15.0
"""As far as this, the largest town names a place: rounding moves a position by up to eight kilometres."""
_NEAR_WITHIN_KM: Final = 75.0

_Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Town:
    """A town and the number of its inhabitants."""

    name: str
    position: Position
    inhabitants: int


class Gazetteer:
    """Towns by cells of one degree, which are at least 75 km wide up to 47° north or south."""

    def __init__(self, towns: Iterable[Town]) -> None:
        cells: dict[_Cell, list[Town]] = {}
        for town in towns:
            cells.setdefault(_cell_of(town.position), []).append(town)
        self._cells: Mapping[_Cell, list[Town]] = cells

    def name_of(self, position: Position) -> str | None:
        """Return the name of the town at a position, or near it; None in the middle of nowhere."""
        near = [(_distance_km(position, town.position), town) for town in self._around(position)]
        here = [town for distance, town in near if distance <= _CITY_WITHIN_KM]
        if here:
            return max(here, key=lambda town: town.inhabitants).name
        distance, town = min(near, key=lambda each: each[0], default=(_NEAR_WITHIN_KM, None))
        return town.name if town is not None and distance < _NEAR_WITHIN_KM else None

    def _around(self, position: Position) -> Iterable[Town]:
        row, column = _cell_of(position)
        for lat in range(row - 1, row + 2):
            for lng in range(column - 1, column + 2):
                yield from self._cells.get((lat, (lng + 180) % 360 - 180), ())


@lru_cache(maxsize=4_096)
def place_name(position: Position) -> str | None:
    """Return the name of the town at a position, or near it; None if there is none."""
    return _gazetteer().name_of(position)


@cache
def _gazetteer() -> Gazetteer:
    lines = files("portal.tracking").joinpath(_DATA).read_text(encoding="utf-8").splitlines()
    return Gazetteer(_town_of(line) for line in lines)


def _town_of(line: str) -> Town:
    lat, lng, inhabitants, name = line.split("\t")
    return Town(name, Position(lat=float(lat), lng=float(lng)), int(inhabitants))


def _cell_of(position: Position) -> _Cell:
    return floor(position.lat), floor(position.lng)


def _distance_km(first: Position, second: Position) -> float:
    """Return the distance of two positions near each other, as if the ground between them were flat."""
    east = (first.lng - second.lng + 180) % 360 - 180
    return _KM_OF_A_DEGREE * hypot(first.lat - second.lat, east * cos(radians(first.lat)))
