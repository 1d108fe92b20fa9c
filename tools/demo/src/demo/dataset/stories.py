"""Stories of a parcel in a day, how often each occurs, and how its scans come about.

No scan that the rules reject may become legal later in its story: a rejected event that is sent again is
judged again, and repeating the demo, even one that was interrupted, must change nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from random import Random
from typing import Final

from demo.dataset.cities import City, distance_km
from demo.dataset.records import Booking, Scan
from domain.shipments.commands import Coordinates, Location
from domain.shipments.status import Status
from domain.timestamps import format_timestamp

_ROAD_LIMIT_KM = 700.0
_ROAD_KMH = 75.0
_FLIGHT_KMH = 650.0
_FLIGHT_HANDLING_H = 3.0


class Step(Enum):
    """A scanned step in the life of a parcel."""

    PICKED_UP = auto()
    AT_ORIGIN_HUB = auto()
    ON_THE_ROAD = auto()
    AT_DESTINATION_HUB = auto()
    DELIVERED = auto()
    LATE_ROAD_SCAN = auto()
    CANCELLED = auto()


_PICKED_UP, _HUB, _ROAD = Step.PICKED_UP, Step.AT_ORIGIN_HUB, Step.ON_THE_ROAD

STORIES: Final = (
    (638, (_PICKED_UP, _HUB, _ROAD, Step.DELIVERED)),
    (104, (_PICKED_UP, _HUB, _ROAD, Step.AT_DESTINATION_HUB, Step.DELIVERED)),
    (44, (_PICKED_UP, _HUB, _ROAD, Step.DELIVERED, Step.LATE_ROAD_SCAN)),
    (88, (_PICKED_UP, _HUB, _ROAD)),
    (14, (_PICKED_UP, _HUB, _ROAD, Step.CANCELLED)),  # too late to cancel
    (34, (_PICKED_UP, _HUB)),
    (8, (_PICKED_UP,)),
    (16, (Step.CANCELLED,)),
    (14, (_PICKED_UP, Step.CANCELLED)),
    (10, (_PICKED_UP, _HUB, Step.CANCELLED)),
    (8, (Step.CANCELLED, _PICKED_UP)),  # the driver had not heard
    (22, (_HUB, _ROAD, Step.DELIVERED)),  # the driver forgot to scan: nothing that follows is legal
)
"""Number of parcels of each story: a thousand altogether."""

_STATUS: Final = {
    Step.PICKED_UP: Status.PICKED_UP,
    Step.AT_ORIGIN_HUB: Status.IN_WAREHOUSE,
    Step.ON_THE_ROAD: Status.IN_TRANSIT,
    Step.AT_DESTINATION_HUB: Status.IN_WAREHOUSE,
    Step.DELIVERED: Status.DELIVERED,
    Step.LATE_ROAD_SCAN: Status.IN_TRANSIT,
    Step.CANCELLED: Status.CANCELLED,
}

_NOTES: Final = {
    Step.PICKED_UP: ("Recolección programada", "Remitente entregó sin guía impresa", "Empaque reforzado"),
    Step.AT_ORIGIN_HUB: ("Etiqueta reimpresa", "Peso verificado", "Caja con golpe en una esquina"),
    Step.ON_THE_ROAD: ("Salida de ruta nocturna", "Retraso por bloqueo carretero", "Unidad 4412"),
    Step.AT_DESTINATION_HUB: ("Llegada a centro de destino",),
    Step.DELIVERED: ("Recibió recepción", "Recibió vecino", "Firmó el destinatario", "Dejado en caseta"),
    Step.LATE_ROAD_SCAN: ("Lector sin señal, enviado después",),
    Step.CANCELLED: ("Cancelado a petición del cliente",),
}
_NOTE_SHARE: Final = dict.fromkeys(Step, 0.1) | {Step.LATE_ROAD_SCAN: 0.9, Step.CANCELLED: 0.8}


@dataclass(frozen=True, slots=True)
class Trip:
    """A booking with the cities between which it travels."""

    booking: Booking
    origin: City
    destination: City

    @property
    def travel_time(self) -> timedelta:
        """Return the travel time: by road, or by air over long distances."""
        km = distance_km(self.origin, self.destination)
        by_road = km < _ROAD_LIMIT_KM
        return timedelta(hours=km / _ROAD_KMH if by_road else _FLIGHT_HANDLING_H + km / _FLIGHT_KMH)


@dataclass(frozen=True, slots=True)
class Sending:
    """A scan, and when its device sent it: after it happened, sometimes long after."""

    at: datetime
    scan: Scan


def sendings(rng: Random, trip: Trip, *, steps: tuple[Step, ...], start: datetime) -> Iterator[Sending]:
    """Play one story: yield a sending for each step, in order, the first one at about `start`."""
    now = start
    for step in steps:
        now += _pause(rng, trip, step)
        happened = now
        if step is Step.LATE_ROAD_SCAN:
            happened -= timedelta(minutes=rng.uniform(85, 115))
        yield Sending(now + timedelta(seconds=rng.uniform(1, 40)), _scan(rng, trip, step, happened))


def _pause(rng: Random, trip: Trip, step: Step) -> timedelta:
    match step:
        case Step.ON_THE_ROAD:
            return timedelta(minutes=rng.uniform(45, 90)) + 0.2 * trip.travel_time
        case Step.AT_DESTINATION_HUB:
            return timedelta(minutes=rng.uniform(20, 60)) + 0.3 * trip.travel_time
        case Step.DELIVERED:
            return timedelta(minutes=rng.uniform(60, 150)) + 0.5 * trip.travel_time
        case _:
            return timedelta(minutes=rng.uniform(25, 80))


def _scan(rng: Random, trip: Trip, step: Step, happened: datetime) -> Scan:
    notes = rng.choice(_NOTES[step]) if rng.random() < _NOTE_SHARE[step] else None
    location = _location(rng, trip, step)
    source = _source(rng, trip, step)
    return Scan(trip.booking.key, _STATUS[step], format_timestamp(happened), source, location, notes)


def _source(rng: Random, trip: Trip, step: Step) -> str:
    match step:
        case Step.PICKED_UP | Step.DELIVERED:
            return f"driver-{rng.randint(1, 60):03}"
        case Step.ON_THE_ROAD:
            return f"scanner-{trip.origin.code}-{rng.randint(1, 4):02}"
        case Step.LATE_ROAD_SCAN:
            return f"scanner-{trip.destination.code}-{rng.randint(1, 4):02}"
        case Step.AT_DESTINATION_HUB:
            return f"warehouse-{trip.destination.code}-{rng.randint(1, 2):02}"
        case _:
            return f"warehouse-{trip.origin.code}-{rng.randint(1, 2):02}"


def _location(rng: Random, trip: Trip, step: Step) -> Location:
    match step:
        case Step.PICKED_UP:
            return _near(rng, trip.booking.origin["coordinates"])
        case Step.DELIVERED:
            return _near(rng, trip.booking.destination["coordinates"])
        case Step.ON_THE_ROAD:
            return _on_route(rng, trip, rng.uniform(0.05, 0.45))
        case Step.LATE_ROAD_SCAN:
            return _on_route(rng, trip, rng.uniform(0.6, 0.9))
        case Step.AT_DESTINATION_HUB:
            return _hub(trip.destination)
        case _:
            return _hub(trip.origin)


def _near(rng: Random, point: Coordinates) -> Location:
    lat, lng = point["lat"] + rng.gauss(0, 0.0003), point["lng"] + rng.gauss(0, 0.0003)
    return Location(lat=round(lat, 4), lng=round(lng, 4))


def _on_route(rng: Random, trip: Trip, share: float) -> Location:
    lat = trip.origin.lat + share * (trip.destination.lat - trip.origin.lat) + rng.gauss(0, 0.03)
    lng = trip.origin.lng + share * (trip.destination.lng - trip.origin.lng) + rng.gauss(0, 0.03)
    return Location(lat=round(lat, 4), lng=round(lng, 4))


def _hub(city: City) -> Location:
    lat, lng = round(city.lat + 0.031, 4), round(city.lng + 0.027, 4)
    return Location(lat=lat, lng=lng, address=f"Centro logístico {city.name}")
