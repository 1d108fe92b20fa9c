"""Lifelike traffic: shipments side by side, with repetitions, contradictions and steps out of order."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random

from domain.shipments.commands import Command, ReportStatus, ShipmentChanges
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber
from tests.support.builders import NOON, ROUTE, amendment, checkpoint, creation, number, report

CRUD = 0.15
"""How likely each kind of disturbance is, after every step."""


def life(index: int, chance: Random) -> Iterator[Command]:
    """Return all that is sent of one shipment, in order."""
    mine = number(index)
    past: list[Command] = []
    route = [*ROUTE] if chance.random() > CRUD else [Status.PICKED_UP, Status.CANCELLED]
    journey: list[Command] = [creation(mine), *(report(status, mine) for status in route)]
    for command in journey:
        past.append(command)
        yield command
        if chance.random() < CRUD:
            yield chance.choice(past)
        if chance.random() < CRUD and isinstance(command, ReportStatus):
            yield replace(command, notes="it was quite otherwise")
        if chance.random() < CRUD:
            yield report(Status.DELIVERED, mine, source="far ahead", at=NOON + timedelta(days=1))
        if chance.random() < CRUD:
            past.append(_change(mine, chance))
            yield past[-1]
        if chance.random() < 2 * CRUD:
            past.append(checkpoint(f"hub_{chance.randrange(3)}", mine, at=NOON + timedelta(hours=len(past))))
            yield past[-1]


def _change(mine: TrackingNumber, chance: Random) -> Command:
    """Return a change through the API, by an admin, the owner or somebody else."""
    client = chance.choice([None, "client_001", "client_002"])
    at = NOON + timedelta(milliseconds=chance.randrange(4))
    if chance.random() < CRUD:
        return report(Status.CANCELLED, mine, source="api", at=at, on_behalf_of=client)
    changes: ShipmentChanges = {"origin": {"address": f"Carrera {chance.randrange(100)}"}}
    return amendment(mine, changes=changes, at=at, on_behalf_of=client)


def traffic(shipments: int, *, seed: int = 1, first: int = 0) -> list[Command]:
    """Return what is sent of many shipments, each one's events in order, all of them mixed."""
    chance = Random(seed)  # noqa: S311  # a test that can be repeated
    lives = [list(life(first + index, chance)) for index in range(shipments)]
    mixed: list[Command] = []
    while lives:
        one = chance.choice(lives)
        mixed.append(one.pop(0))
        lives = [each for each in lives if each]
    return mixed
