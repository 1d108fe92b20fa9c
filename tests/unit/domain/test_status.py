"""Status transitions: the whole table, written out by hand."""

import pytest

from domain.shipments.status import REPORTABLE, TRANSITIONS, Status, can_follow, following, is_terminal

# One row per current status; x marks what may follow it, in the order of the columns.
TABLE = """
               created  picked_up  in_warehouse  in_transit  delivered  cancelled
created        .        x          .             .           .          x
picked_up      .        .          x             .           .          x
in_warehouse   .        .          .             x           .          x
in_transit     .        .          .             .           x          .
delivered      .        .          .             .           .          .
cancelled      .        .          .             .           .          .
"""


def _pairs() -> list[tuple[str, str, bool]]:
    columns, *rows = [line.split() for line in TABLE.strip().splitlines()]
    return [
        (current, following, mark == "x")
        for current, *marks in rows
        for following, mark in zip(columns, marks, strict=True)
    ]


def test_the_table_names_every_status_on_both_sides() -> None:
    names = {status.value for status in Status}
    assert len(_pairs()) == 36
    assert {current for current, _, _ in _pairs()} == names
    assert {following for _, following, _ in _pairs()} == names


@pytest.mark.parametrize(("current", "following", "allowed"), _pairs())
def test_a_status_follows_another_exactly_where_the_table_says(
    current: str, following: str, *, allowed: bool
) -> None:
    assert can_follow(Status(current), Status(following)) is allowed


def test_delivered_and_cancelled_are_terminal_and_nothing_else_is() -> None:
    assert {status.value for status in Status if is_terminal(status)} == {"delivered", "cancelled"}


def test_every_status_but_created_may_be_reported() -> None:
    assert [status.value for status in REPORTABLE] == [
        "picked_up",
        "in_warehouse",
        "in_transit",
        "delivered",
        "cancelled",
    ]


def test_following_statuses_are_those_of_the_table_in_order() -> None:
    for status in Status:
        assert set(following(status)) == TRANSITIONS[status]
        assert list(following(status)) == sorted(TRANSITIONS[status], key=list(Status).index)
