"""`python -m tests.upgrade`: a release rolls under load, there, back and there again; `make upgrade-test`.

Prints what was done and what was found; exit code 1 if a promise was broken, 2 without the last release.
"""

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.upgrade.journey import Itinerary, Report, travel
from tests.upgrade.release import LAST_RELEASE, ReleaseMissing, last_release

RATE: Final = 300.0
CALM_S: Final = 5.0
SHOWN: Final = 50


def main() -> int:
    """Make one journey and return the exit code."""
    arguments = _arguments()
    try:
        last = last_release()
    except ReleaseMissing as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    _say(f"from {LAST_RELEASE} and back, then in the order of seed {arguments.seed}")
    with tempfile.TemporaryDirectory(prefix="waybill-upgrade-") as directory:
        home = arguments.home or Path(directory)
        itinerary = Itinerary(rate=arguments.rate, calm_s=arguments.calm, seed=arguments.seed)
        report = asyncio.run(travel(home, last, itinerary))
    _say(*_lines(report))
    return 1 if report.violations else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Roll a release under load, and check what it promises.")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--rate", type=float, default=RATE, help="events per second")
    parser.add_argument("--calm", type=float, default=CALM_S, help="seconds after each replacement")
    parser.add_argument("--home", type=Path, help="keep the stack's data and logs here")
    return parser.parse_args()


def _lines(report: Report) -> list[str]:
    return [
        *("", f"{'step':70}  recovery"),
        *(f"{name:70}  {seconds:.1f} s" for name, seconds in report.recoveries_s.items()),
        *("", f"{'answers':70}  number"),
        *(f"{response:70}  {number}" for response, number in report.responses.items()),
        "",
        f"{report.acknowledged:,} events acknowledged, {report.records:,} records in the log",
        f"{report.shipments:,} shipments, {report.webhooks:,} webhooks received",
        f"violations: {len(report.violations)}",
        *report.violations[:SHOWN],
    ]


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
