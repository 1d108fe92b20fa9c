"""Names of places: towns near a rounded position, and never what somebody wrote."""

import pytest

from domain.shipments.public_view import Position
from portal.tracking.places import Gazetteer, Town, place_name

NOWHERE = [(0.0, -140.0), (25.0, -40.0), (90.0, 0.0), (-90.0, 180.0)]


@pytest.mark.parametrize(
    ("lat", "lng", "name"),
    [
        (19.4, -99.1, "Ciudad de México"),
        (19.4, -99.2, "Ciudad de México"),
        (20.7, -103.4, "Zapopan"),
        (25.7, -100.3, "Monterrey"),
        (-23.5, -46.6, "São Paulo"),
        (4.6, -74.1, "Bogotá"),
        (-12.1, -77.0, "Lima"),
        (20.6, -100.4, "Querétaro"),
        (48.9, 2.4, "Paris"),
    ],
)
def test_a_place_is_named_after_the_city_that_it_lies_in(lat: float, lng: float, name: str) -> None:
    assert place_name(Position(lat=lat, lng=lng)) == name


@pytest.mark.parametrize(("lat", "lng"), NOWHERE)
def test_the_middle_of_nowhere_has_no_name(lat: float, lng: float) -> None:
    assert place_name(Position(lat=lat, lng=lng)) is None


def test_the_largest_town_wins_close_by_and_the_nearest_farther_away() -> None:
    suburb = Town("Suburb", Position(lat=10.0, lng=10.0), 50_000)
    city = Town("City", Position(lat=10.1, lng=10.0), 900_000)
    towns = Gazetteer([suburb, city])
    assert towns.name_of(Position(lat=10.0, lng=10.0)) == "City"
    assert towns.name_of(Position(lat=9.6, lng=10.0)) == "Suburb"


def test_towns_are_found_across_the_line_where_the_degrees_begin_again() -> None:
    towns = Gazetteer([Town("Suva", Position(lat=-18.1, lng=179.9), 90_000)])
    assert towns.name_of(Position(lat=-18.1, lng=-179.9)) == "Suva"
    assert towns.name_of(Position(lat=-18.1, lng=180.0)) == "Suva"
