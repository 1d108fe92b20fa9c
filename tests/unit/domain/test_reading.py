"""Scopes, filters, and periods of time."""

from datetime import timedelta

import pytest

from domain.access.permissions import Principal, Role
from domain.ports.queries import (
    EVER,
    EVERYTHING,
    DeadLetterFilter,
    EventFilter,
    Period,
    Scope,
    ShipmentFilter,
    filter_key,
    scope_of,
)
from domain.shipments.event_identity import creation_event_id, event_id, id_at
from tests.support.builders import NOON, NUMBER

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("principal", "scope"),
    [
        (Principal("root", Role.ADMIN), EVERYTHING),
        (Principal("root", Role.ADMIN, "client_001"), EVERYTHING),
        (Principal("anna", Role.CLIENT, "client_001"), Scope(client_id="client_001")),
        (Principal("anna", Role.CLIENT), Scope(client_id="")),
        (Principal("dario", Role.PRODUCER), Scope(submitted_by="dario")),
        (Principal("dario", Role.PRODUCER, "client_001"), Scope(submitted_by="dario")),
    ],
)
def test_scopes(principal: Principal, scope: Scope) -> None:
    assert scope_of(principal) == scope


def test_a_period_holds_its_start_and_not_its_end() -> None:
    period = Period(start=NOON, end=NOON + SECOND)
    assert [period.holds(NOON + offset * SECOND) for offset in (-1, 0, 1)] == [False, True, False]
    assert EVER.holds(NOON)


def test_an_instant_lies_between_the_ids_before_and_from_it_on() -> None:
    for source in ("", "a", "scanner-1", "zzz"):
        assert event_id(NUMBER, NOON - timedelta(milliseconds=1), source) < id_at(NUMBER, NOON)
        assert id_at(NUMBER, NOON) < event_id(NUMBER, NOON, source)
    assert id_at(NUMBER, NOON - timedelta(days=365 * 100)) < event_id(NUMBER, NOON, "x")
    assert id_at(NUMBER, NOON) < creation_event_id(NUMBER)


def test_the_key_of_a_filter_holds_what_filters_and_nothing_else() -> None:
    """A field that a release adds changes no key, so cursors outlive it."""
    assert filter_key(ShipmentFilter()) == "ShipmentFilter{}"
    assert filter_key(ShipmentFilter(prefix="99M-1")) == "ShipmentFilter{'prefix': '99M-1'}"
    filters = (
        ShipmentFilter(),
        ShipmentFilter(client_id="a"),
        ShipmentFilter(prefix="a"),
        ShipmentFilter(created=Period(start=NOON)),
        ShipmentFilter(created=Period(end=NOON)),
        ShipmentFilter(updated=Period(start=NOON)),
        DeadLetterFilter(),
        EventFilter(tracking_number=NUMBER),
        EventFilter(tracking_number=NUMBER, conflicting=True),
    )
    assert len({filter_key(each) for each in filters}) == len(filters)
