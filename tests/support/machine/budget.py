"""Budgets of the search, and runs of a machine without backoff and logs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from messaging.consumer.partition import dead_lettering, halting, isolation, ownership, partition_worker
from messaging.consumer.worker import retrier, worker_states

EVERY_DAY: Final = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=120,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow],
)
"""Settings for the same examples each time."""
ALL_YEAR: Final = settings(
    EVERY_DAY, derandomize=False, print_blob=True, max_examples=1500, stateful_step_count=60
)
"""Settings for new examples each time; a failing one is printed with its reproduction."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let workers retry at once, and without logs."""
    silent = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger("critical"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker_states, "FIRST_PAUSE_S", 0.0)
        patch.setattr(worker_states, "YIELD_OWNERSHIP_S", 0.0)
        for module in (dead_lettering, halting, ownership, partition_worker, retrier):
            patch.setattr(module, "_log", silent)
        # Processes end of other faults here: the record that they handle must not be given up for that.
        patch.setattr(isolation, "MAX_ENDED", 1_000_000)
        patch.setattr(dead_lettering, "MAX_CONSECUTIVE_DEAD_LETTERS", 1_000_000)
        yield


def search(new_machine: Callable[[], RuleBasedStateMachine], budget: settings) -> None:
    """Run machines until the budget is spent; an `AssertionError` of theirs is the caller's."""
    # Declared for a class, it accepts any factory of machines.
    run_state_machine_as_test(cast("Any", new_machine), settings=budget)
