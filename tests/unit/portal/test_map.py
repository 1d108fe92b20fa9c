"""Maps: what they show of the earth, and that they show no more than rounded positions."""

import re

import pytest

from domain.shipments.public_view import Position, PublicShipment, PublicStep
from domain.shipments.status import Status
from portal.tracking.geography.outline import outline_in
from portal.tracking.geography.viewport import HEIGHT, WIDTH, around, route_of
from portal.tracking.map import MapView, map_of
from portal.web.languages import languages
from tests.support.builders import NOON, NUMBER

GUADALAJARA = Position(lat=20.7, lng=-103.3)
MEXICO = Position(lat=19.4, lng=-99.1)
MADRID = Position(lat=40.4, lng=-3.7)
TOKYO = Position(lat=35.7, lng=139.7)
LOS_ANGELES = Position(lat=34.1, lng=-118.2)
POLE = Position(lat=90.0, lng=0.0)


def drawn(*positions: Position | None, places: list[str | None] | None = None) -> MapView | None:
    steps = tuple(PublicStep(status=Status.CREATED, timestamp=NOON, position=each) for each in positions)
    shipment = PublicShipment(
        tracking_number=NUMBER,
        current_status=Status.CREATED,
        steps=steps,
        version=1,
        updated_at=NOON,
        ended_at=None,
    )
    return map_of(shipment, places or [None] * len(positions), languages()["en"])


def shown(*positions: Position | None, places: list[str | None] | None = None) -> MapView:
    found = drawn(*positions, places=places)
    assert found is not None
    return found


def spots(path: str) -> list[tuple[int, int]]:
    return [(int(x), int(y)) for x, y in re.findall(r"[ML](-?\d+) (-?\d+)", path)]


def test_shipment_without_positions_has_no_map() -> None:
    assert drawn(None, None) is None
    assert drawn() is None


@pytest.mark.parametrize(
    "positions",
    [
        (GUADALAJARA,),
        (GUADALAJARA, MEXICO),
        (GUADALAJARA, None, MADRID),
        (TOKYO, LOS_ANGELES),
        (LOS_ANGELES, TOKYO, MADRID),
        (POLE, MEXICO),
        (Position(lat=-54.8, lng=-68.3), POLE),
    ],
)
def test_all_positions_are_on_the_map(positions: tuple[Position | None, ...]) -> None:
    view = shown(*positions)
    assert len(spots(view.route)) == len([each for each in positions if each])
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in spots(view.route))
    assert spots(view.current) == spots(view.route)[-1:]
    assert spots(view.stops) == spots(view.route)[:-1]


def test_route_takes_the_nearer_way_around_the_earth() -> None:
    (tokyo, _), (los_angeles, _) = route_of([TOKYO, LOS_ANGELES])
    assert los_angeles - tokyo == pytest.approx(102.1)
    assert spots(shown(TOKYO, LOS_ANGELES).route)[0][0] < WIDTH / 2
    assert shown(TOKYO, LOS_ANGELES).land


def test_places_of_repeated_scans_are_one_stop() -> None:
    assert len(spots(shown(GUADALAJARA, GUADALAJARA, None, GUADALAJARA, MEXICO).route)) == 2


def test_land_is_where_land_is() -> None:
    """The share of land, by the area of the closed lines, is what an atlas says of two regions."""
    for positions, least, most in (
        ((Position(lat=45.0, lng=100.0),), 0.99, 1.13),
        ((Position(lat=0.0, lng=-140.0),), 0.0, 0.01),
    ):
        view = outline_in(around(route_of(positions)))
        area = sum(map(enclosed, view.land.split("M")[1:]))
        assert least <= area / (WIDTH * HEIGHT) <= most


def enclosed(part: str) -> float:
    x, y, *ways = map(int, re.findall(r"-?\d+", part))
    points = [(x, y)]
    for dx, dy in zip(ways[::2], ways[1::2], strict=True):
        points.append((points[-1][0] + dx, points[-1][1] + dy))
    pairs = zip(points, [*points[1:], points[0]], strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2


@pytest.mark.parametrize("positions", [(GUADALAJARA, MADRID), (TOKYO, LOS_ANGELES), (MADRID, TOKYO)])
def test_map_of_half_the_earth_is_small(positions: tuple[Position, ...]) -> None:
    view = shown(*positions)
    assert len(view.land) + len(view.borders) < 30_000


def test_names_are_in_the_title_and_on_the_map_where_there_is_room() -> None:
    far = shown(GUADALAJARA, None, MADRID, places=["Guadalajara", None, "Madrid"])
    assert far.title == "Map of the way: Guadalajara – Madrid"  # noqa: RUF001
    assert {(each.name, each.is_before) for each in far.names} == {("Guadalajara", False), ("Madrid", True)}
    near = shown(MEXICO, Position(lat=19.5, lng=-99.2), places=["Ciudad de México", "Tlalnepantla"])
    assert [each.name for each in near.names] == ["Tlalnepantla"]
    assert shown(MEXICO).title == "Map of the way"
