"""The demo against the whole stack: two runs, each with its known answer."""

import io
from typing import Protocol

import pytest
from rich.console import Console

from demo.cli import demo
from demo.dataset.known_answer import load
from demo.run.driver import Run

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(400)]


class Stack(Protocol):
    @property
    def gateway_url(self) -> str: ...


async def test_the_demo_comes_to_its_known_answer_and_repeating_it_changes_nothing(stack: Stack) -> None:
    response = load()

    console = Console(file=io.StringIO(), width=100)
    first = await demo(stack.gateway_url, console)
    assert first.differences == []
    assert first.standing == response.standing
    assert first.traffic.accepted == response.sent
    assert "totals equal the data set's known answer" in _text(console)
    if first.run is Run.FIRST:  # a stack that outlives the test run has seen the demo before
        assert first.already_there == 0
        assert first.deliveries == response.first_run

    console = Console(file=io.StringIO(), width=100)
    second = await demo(stack.gateway_url, console)
    assert second.differences == []
    assert second.run is Run.LATER
    assert second.already_there == second.bookings == 1000
    assert second.deliveries == response.later_run
    assert second.standing == response.standing
    assert second.moved == 0
    assert "nothing changed" in _text(console)


def _text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
