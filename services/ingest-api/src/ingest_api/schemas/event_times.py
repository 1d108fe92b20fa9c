"""When events may have happened: not before 1970, and not ahead of the clock."""

import time
from datetime import datetime
from typing import Any, Final

from httpkit.request.instants import parse_instant

MAX_AHEAD_S: Final = 300


def read_instant(value: Any) -> datetime:  # noqa: ANN401  # whatever a client sends
    """Return the instant that a client means, plausible for something that has happened.

    Raises:
        ValueError: it is none, is before 1970, or is more than `MAX_AHEAD_S` seconds ahead.
    """
    instant = parse_instant(value)
    seconds = instant.timestamp()
    if seconds < 0:
        raise ValueError("must not be before 1970")
    if seconds > time.time() + MAX_AHEAD_S:
        raise ValueError(f"must not be more than {MAX_AHEAD_S // 60} minutes ahead")
    return instant
