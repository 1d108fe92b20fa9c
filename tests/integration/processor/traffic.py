"""Lifelike traffic: shipments side by side, with repetitions, contradictions and steps out of order."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random

from domain.commands import Command, ReportStatus
from domain.status import Status
from tests.support.builders import NOON, ROUTE, creation, number, report

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
