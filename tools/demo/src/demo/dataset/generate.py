"""Make the demo's data set from its seed: the same one at every run."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import repeat
from random import Random

from demo.dataset.cities import CITIES, City, distance_km
from demo.dataset.goods import GOODS, Good
from demo.dataset.records import Booking, DataSet
from demo.dataset.stories import STORIES, Sending, Trip, sendings
from domain.shipments.commands import Coordinates, Dimensions, Package, Place
from domain.shipments.tracking_number import ENTROPY_BYTES, tracking_number_from

_SEED = 20261102
_OPENING = datetime(2026, 11, 2, 11, 30, tzinfo=UTC)  # 05:30 in Mexico City
_OPENING_SPREAD_H = 3.5
_CLIENTS = ("client_001", "client_002")
_REPEATED_SHARE = 0.05
_AT_ONCE_SHARE = 0.9
_CONFLICTS = 12
_STRAYS = 9


def generate() -> DataSet:
    """Return the data set, the same at every call."""
    rng = Random(_SEED)  # noqa: S311 - made-up parcels, to be made up the same way each time
    stories = [story for count, story in STORIES for _ in repeat(None, count)]
    rng.shuffle(stories)
    trips = [_trip(rng, number) for number in range(1, len(stories) + 1)]
    day = [
        sending
        for trip, story in zip(trips, stories, strict=True)
        for sending in sendings(rng, trip, steps=story, start=_opening(rng))
    ]
    day += _strays(rng)
    day += [*_repeated(rng, day), *_conflicting(rng, day)]
    day.sort(key=lambda sending: sending.at)  # stable: equal instants keep the order of the story
    return DataSet(tuple(trip.booking for trip in trips), tuple(sending.scan for sending in day))


def _trip(rng: Random, number: int) -> Trip:
    origin = rng.choices(CITIES, [city.share for city in CITIES])[0]
    destination = _destination(rng, origin)
    booking = Booking(
        f"demo-{number:04}",
        rng.choices(_CLIENTS, (3, 2))[0],
        _place(rng, origin),
        _place(rng, destination),
        _package(rng, rng.choice([good for good in GOODS if good.home in {None, origin.code}])),
    )
    return Trip(booking, origin, destination)


def _destination(rng: Random, origin: City) -> City:
    others = [city for city in CITIES if city is not origin]
    nearer_is_likelier = [city.share * (1 + 600 / (100 + distance_km(origin, city))) for city in others]
    return rng.choices(others, nearer_is_likelier)[0]


def _place(rng: Random, city: City) -> Place:
    street, quarter = rng.choice(city.streets)
    number = rng.randint(12, 2400)
    lat, lng = city.lat + rng.uniform(-0.015, 0.015), city.lng + rng.uniform(-0.015, 0.015)
    return Place(
        address=f"{street} {number}, {quarter}, {city.name}, {city.state}",
        coordinates=Coordinates(lat=round(lat, 4), lng=round(lng, 4)),
    )


def _package(rng: Random, good: Good) -> Package:
    lightest, heaviest = good.weight_kg
    weight = lightest + (heaviest - lightest) * rng.random() ** 2
    length, width, height = (round(side * (weight / lightest) ** (1 / 3)) for side in good.size_cm)
    return Package(
        weight_kg=round(weight, 1),
        dimensions=Dimensions(length=length, width=width, height=height),
        content_description=good.description,
    )


def _opening(rng: Random) -> datetime:
    return _OPENING + timedelta(hours=rng.uniform(0, _OPENING_SPREAD_H))


def _strays(rng: Random) -> Iterator[Sending]:
    """Yield scans of parcels with a valid label that nobody booked."""
    for _ in range(_STRAYS):
        trip = _trip(rng, 0)
        stray = replace(trip.booking, key=tracking_number_from(rng.randbytes(ENTROPY_BYTES)))
        story = rng.choice([steps for _, steps in STORIES])
        trip = replace(trip, booking=stray)
        yield from sendings(rng, trip, steps=story[:2], start=_opening(rng))


def _repeated(rng: Random, day: list[Sending]) -> Iterator[Sending]:
    """Yield the scans that their device sends again: at once, or when it is back at its base."""
    for sending in day:
        if rng.random() < _REPEATED_SHARE:
            at_once = rng.random() < _AT_ONCE_SHARE
            later = rng.uniform(2, 90) if at_once else rng.uniform(3600, 4 * 3600)
            yield replace(sending, at=sending.at + timedelta(seconds=later))


def _conflicting(rng: Random, day: list[Sending]) -> Iterator[Sending]:
    """Yield scans that were edited on the device after they had been sent."""
    for sending in rng.sample(day, _CONFLICTS):
        edited = replace(sending.scan, notes=f"Corrección: bulto {rng.randint(2, 9)} de 9")
        yield Sending(sending.at + timedelta(minutes=rng.uniform(5, 25)), edited)
