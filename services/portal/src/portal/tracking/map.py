"""The map of a shipment: its positions, rounded, on an outline of land. The list beside it says the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from domain.shipments.public_view import Position, PublicShipment
from portal.tracking.geography.outline import outline_in
from portal.tracking.geography.viewport import HEIGHT, WIDTH, around, route_of
from portal.web.languages import Language, message

Spot = tuple[int, int]
ABOVE: Final = -22
BELOW: Final = 42
"""Where labels stand, from their positions."""
COVERED: Final = (16, 16)
"""Distance below which a dot covers another."""
ROOM: Final = (200, 60)
"""Distance below which two labels may touch."""


@dataclass(frozen=True, slots=True)
class LabelView:
    """The name of a place.

    Attributes:
        x: of its beginning or end, in units of the map.
        y: of its line, likewise.
        is_before: it ends at `x`.
    """

    name: str
    x: int
    y: int
    is_before: bool


@dataclass(frozen=True, slots=True)
class MapView:
    """A map, as parts of an SVG document.

    Attributes:
        title: says the same, for those who do not see it.
        land: path of the land.
        borders: path of the borders of countries.
        route: path through all positions.
        stops: path of a dot at each position but the last.
        current: path of a dot at the last position.
        names: of the first and the last position, as far as known.
    """

    width: int
    height: int
    title: str
    land: str
    borders: str
    route: str
    stops: str
    current: str
    names: tuple[LabelView, ...]


def map_of(shipment: PublicShipment, places: Sequence[str | None], language: Language) -> MapView | None:
    """Return the map of a shipment; None if it has no position.

    Args:
        shipment: its positions are on the map.
        places: names of the places of its steps.
        language: of the title.
    """
    found = [
        (step.position, name)
        for step, name in zip(shipment.steps, places, strict=True)
        if step.position is not None
    ]
    if not found:
        return None
    stops = [next(group) for _, group in groupby(found, key=lambda each: each[0])]
    return _drawn([position for position, _ in stops], [name for _, name in stops], language)


def _drawn(positions: Sequence[Position], names: Sequence[str | None], language: Language) -> MapView:
    route = route_of(positions)
    viewport = around(route)
    outline, spots = outline_in(viewport), _apart([viewport.to_map(point) for point in route])
    return MapView(
        width=WIDTH,
        height=HEIGHT,
        title=_title(names, language),
        land=outline.land,
        borders=outline.borders,
        route="M" + "L".join(f"{x} {y}" for x, y in spots),
        stops="".join(map(_dot, spots[:-1])),
        current=_dot(spots[-1]),
        names=tuple(_labels(spots, names[0], names[-1])),
    )


def _apart(spots: Sequence[Spot]) -> list[Spot]:
    """Return the spots without those that would cover the one after them."""
    kept = spots[-1:]
    for spot in reversed(spots[:-1]):
        if not _touch(spot, kept[0], COVERED):
            kept = [spot, *kept]
    return list(kept)


def _title(names: Sequence[str | None], language: Language) -> str:
    known = [name for name in dict.fromkeys(names) if name is not None]
    if not known:
        return language.gettext(message("Map of the way"))
    return language.gettext(message("Map of the way: %(places)s")) % {"places": " – ".join(known)}  # noqa: RUF001


def _dot(spot: Spot) -> str:
    # A line of no length: its round caps are as thick at every size of the map.
    return f"M{spot[0]} {spot[1]}h0"


def _labels(spots: Sequence[Spot], first: str | None, last: str | None) -> Iterator[LabelView]:
    """Yield the names of the last position, and of the first where there is room for it."""
    if last is not None:
        yield _label(last, spots[-1], spots[-2:][0])
    if first is not None and not _touch(spots[0], spots[-1], ROOM):
        yield _label(first, spots[0], spots[1])


def _label(name: str, spot: Spot, neighbour: Spot) -> LabelView:
    """Return a label on that side of its spot where the route is not."""
    x, y = spot
    return LabelView(name, x, y + (BELOW if neighbour[1] < y else ABOVE), is_before=x > WIDTH / 2)


def _touch(one: Spot, other: Spot, room: Spot) -> bool:
    return abs(one[0] - other[0]) < room[0] and abs(one[1] - other[1]) < room[1]
