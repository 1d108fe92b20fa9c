"""What a partition's worker can be doing, how its work can end, and how long it pauses between two tries."""

import random
from enum import StrEnum
from typing import Final, Self

from messaging.unpacking import UnreadableBatch

FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 5.0


class State(StrEnum):
    """What a worker is doing."""

    OPENING = "opening"
    RUNNING = "running"
    RETRYING = "retrying"
    HALTED = "halted"
    LOST = "lost"


class Halted(Exception):
    """Too many dead letters, one that cannot be kept, or records that cannot be read: stop the line.

    Attributes:
        skip_to: the offset behind what stops it, if it is one record or one batch.
    """

    def __init__(self, problem: str, skip_to: int | None = None) -> None:
        super().__init__(problem)
        self.skip_to = skip_to

    @classmethod
    def at(cls, batch: UnreadableBatch, end_offset: int) -> Self:
        """Say that these records cannot be read; they end where the log does, whatever they say."""
        next_offset = max(batch.offset + 1, min(batch.next_offset, end_offset))
        last = next_offset - 1
        offsets = f"offset {batch.offset}" if last <= batch.offset else f"offsets {batch.offset} to {last}"
        return cls(f"{offsets} cannot be read: {batch.fault}", next_offset)


def lost_tail(end: int, applied: int) -> str:
    """Say that a log ends before what was applied of it, though the topic is the same one."""
    return f"the log ends at {end}, applied up to {applied}: its tail was lost"


def lost_to_retention(offset: int) -> str:
    """Say that records which were never applied are gone."""
    return f"offset {offset} is no longer in the log: records have been lost to retention"


class Abandoned(Exception):
    """The end comes while a batch waits for its next attempt: it is not done, and will be redelivered."""


def pause_s(attempts: int) -> float:
    """Half fixed, half jitter over an exponential pause, so that partitions do not knock in step."""
    longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(attempts, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311  # jitter, not a secret
