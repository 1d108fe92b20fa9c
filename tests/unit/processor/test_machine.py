"""Random faults of processes, in any order: each event has one outcome, and is applied once."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.faults.matrix import Row
from tests.support.machine import ALL_YEAR, EVERY_DAY, ProcessorMachine, World, search, undisturbed

pytestmark = pytest.mark.fault(Row.DUPLICATES, Row.DISORDER, Row.PROCESSOR_KILLED)

NewMachine = Callable[[], ProcessorMachine]


@pytest.fixture
def new_machine() -> Iterator[NewMachine]:
    with asyncio.Runner() as runner, undisturbed():
        yield lambda: ProcessorMachine(World(), runner)


@pytest.mark.timeout(300)
def test_every_accepted_event_is_applied_once(new_machine: NewMachine) -> None:
    search(new_machine, EVERY_DAY)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_long_search_finds_nothing(new_machine: NewMachine) -> None:
    search(new_machine, ALL_YEAR)
