"""States of a partition's worker, and its pauses."""

import random
from enum import StrEnum
from typing import Final

FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 5.0
YIELD_OWNERSHIP_S: Final = 1.0


class State(StrEnum):
    """State of a worker."""

    OPENING = "opening"
    RUNNING = "running"
    RETRYING = "retrying"
    HALTED = "halted"
    LOST = "lost"


class Abandoned(Exception):
    """A batch is abandoned before it is handled, or before its next attempt: it is redelivered."""


def pause_s(attempts: int) -> float:
    """Return an exponential backoff in seconds, half of it jitter: partitions must not retry in step."""
    longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(attempts, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311  # jitter, not a secret


def yield_s() -> float:
    """Return how many seconds another owner is left alone, half of it jitter: two must not fight in step."""
    return random.uniform(YIELD_OWNERSHIP_S, 2 * YIELD_OWNERSHIP_S)  # noqa: S311  # as above
