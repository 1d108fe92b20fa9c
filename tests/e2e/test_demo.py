"""The demo against the whole stack, twice, each with its known answer: a tenth of the day, and the whole."""

import io
from collections.abc import Callable
from typing import Protocol

import pytest
from rich.console import Console

from demo.cli import demo
from demo.dataset.generate import generate
from demo.dataset.known_answer import KnownAnswer, known_answer, load
from demo.dataset.records import DataSet
from demo.run.driver import Run

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(400)]


class Stack(Protocol):
    @property
    def gateway_url(self) -> str: ...


def a_tenth() -> tuple[DataSet, KnownAnswer]:
    """Return the first hundred shipments with their scans, and the strays."""
    day = generate()
    bookings, left_out = day.bookings[:100], {each.key for each in day.bookings[100:]}
    few = DataSet(bookings, tuple(scan for scan in day.scans if scan.of not in left_out))
    return few, known_answer(few)


@pytest.mark.parametrize(
    "made", [a_tenth, pytest.param(lambda: (generate(), load()), marks=pytest.mark.long, id="whole")]
)
async def test_the_demo_comes_to_its_known_answer_and_repeating_it_changes_nothing(
    stack: Stack, made: Callable[[], tuple[DataSet, KnownAnswer]]
) -> None:
    data, answer = made()

    console = Console(file=io.StringIO(), width=100)
    first = await demo(stack.gateway_url, console, data, answer)
    assert first.differences == []
    assert first.standing == answer.standing
    assert first.traffic.accepted == answer.sent
    assert "totals equal the data set's known answer" in _text(console)
    if first.run is Run.FIRST:  # a stack that outlives the test run has seen the demo before
        assert first.already_there == 0
        assert first.deliveries == answer.first_run

    console = Console(file=io.StringIO(), width=100)
    second = await demo(stack.gateway_url, console, data, answer)
    assert second.differences == []
    assert second.run is Run.LATER
    assert second.already_there == second.bookings == len(data.bookings)
    assert second.deliveries == answer.later_run
    assert second.standing == answer.standing
    assert second.moved == 0
    assert "nothing changed" in _text(console)


def _text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
