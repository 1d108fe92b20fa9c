"""A Hypothesis state machine that tests "exactly once": the real apply code under injected faults."""

from tests.support.machine.budget import ALL_YEAR, EVERY_DAY, search, undisturbed
from tests.support.machine.rules import ProcessorMachine
from tests.support.machine.world import World

__all__ = ["ALL_YEAR", "EVERY_DAY", "ProcessorMachine", "World", "search", "undisturbed"]
