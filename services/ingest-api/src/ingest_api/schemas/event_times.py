"""Bounds of event timestamps: not before 1970, and not ahead of the clock."""

import time
from datetime import datetime
from typing import Any, Final

from httpkit.request.instants import parse_instant

MAX_AHEAD_S: Final = 300


def read_instant(value: Any) -> datetime:  # noqa: ANN401  # whatever a client sends
    """Parse the timestamp of an event and check that it is plausible.

    Raises:
        ValueError: it is invalid, before 1970, or more than `MAX_AHEAD_S` seconds ahead.
    """
    instant = parse_instant(value)
    seconds = instant.timestamp()
    if seconds < 0:
        raise ValueError("must not be before 1970")
    if seconds > time.time() + MAX_AHEAD_S:
        raise ValueError(f"must not be more than {MAX_AHEAD_S // 60} minutes ahead")
    return instant
