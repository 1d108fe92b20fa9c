"""The test builds: each service's own `main`, with the faults named in the environment."""

import os
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final, NamedTuple

from ingest_api.__main__ import main as ingest_api
from processor.__main__ import main as processor
from tests.support.crashing.breaking import break_code
from tests.support.crashing.clocks import set_ahead
from tests.support.crashing.ingest_points import IngestPoint
from tests.support.crashing.points import CrashPoint
from tests.support.crashing.striking import Act, arm, note


class _Build(NamedTuple):
    main: Callable[[], None]
    points: type[Enum]


_BUILDS: Final[Mapping[str, _Build]] = {
    "processor": _Build(processor, CrashPoint),
    "ingest-api": _Build(ingest_api, IngestPoint),
}


def run(service: str, env: Mapping[str, str]) -> None:
    """Run a service in this process, with this environment alone, until it ends."""
    os.environ.clear()
    os.environ.update(env)
    build = _BUILDS[service]
    break_code()
    if point := env.get("STRIKE_AT"):
        arm(build.points[point].value, int(env["STRIKE_ON"]), Act(env["STRIKE_BY"]))
    if passed := env.get("NOTE_PASSED_IN"):
        for each in build.points:
            note(each, passed)
    if seconds := env.get("CLOCK_AHEAD_S"):
        set_ahead(float(seconds))
    build.main()
