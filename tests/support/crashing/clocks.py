"""A machine whose clock is wrong: everything in the process that reads the time gets another one."""

import time
from datetime import datetime, timedelta, tzinfo

import jwt.api_jwt

import servicekit.clock


def ahead_by(seconds: float) -> dict[str, str]:
    """Return the environment of a test build whose clock is ahead, or behind where it is negative."""
    return {"CLOCK_AHEAD_S": str(seconds)}


def set_ahead(seconds: float) -> None:
    """Set the clock of this process ahead, or back."""
    machine_time = time.time

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # a plain one, for BSON
            return datetime.now(tz) + timedelta(seconds=seconds)

    time.time = lambda: machine_time() + seconds
    # The class itself cannot be changed: these two modules are all that ask it (`SystemClock`, tokens).
    for module in (servicekit.clock, jwt.api_jwt):
        module.datetime = Wrong  # type: ignore[attr-defined]  # imported there, not exported
