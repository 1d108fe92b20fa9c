"""States of a partition's worker, its exceptions, and its backoff."""

import random
from enum import StrEnum
from typing import Final, Self

from messaging.unpacking import UnreadableBatch

FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 5.0


class State(StrEnum):
    """State of a worker."""

    OPENING = "opening"
    RUNNING = "running"
    RETRYING = "retrying"
    HALTED = "halted"
    LOST = "lost"


class Halted(Exception):
    """Too many dead letters, one that cannot be stored, or records that cannot be read: halt the partition.

    Attributes:
        skip_to: the offset after what halts it, if it is one record or one batch.
    """

    def __init__(self, problem: str, skip_to: int | None = None) -> None:
        super().__init__(problem)
        self.skip_to = skip_to

    @classmethod
    def at(cls, batch: UnreadableBatch, end_offset: int) -> Self:
        """Return the halt for an unreadable batch; it ends where the log does, whatever its header says."""
        next_offset = max(batch.offset + 1, min(batch.next_offset, end_offset))
        last = next_offset - 1
        offsets = f"offset {batch.offset}" if last <= batch.offset else f"offsets {batch.offset} to {last}"
        return cls(f"{offsets} cannot be read: {batch.fault}", next_offset)


def lost_tail(end: int, applied: int) -> str:
    """Return the problem of a log that ends before the applied offset, though the topic is the same."""
    return f"the log ends at {end}, applied up to {applied}: its tail was lost"


def lost_to_retention(offset: int) -> str:
    """Return the problem of records that are gone and were never applied."""
    return f"offset {offset} is no longer in the log: records have been lost to retention"


class Abandoned(Exception):
    """A batch is abandoned while it waits for its next attempt: it will be redelivered."""


def pause_s(attempts: int) -> float:
    """Return an exponential backoff in seconds, half of it jitter: partitions must not retry in step."""
    longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(attempts, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311  # jitter, not a secret
