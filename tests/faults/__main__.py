"""`python -m tests.faults`: a random schedule of faults; `make faults SEED=n MINUTES=m`.

Prints what was done and what was found; exit code 1 if a promise was broken.
"""

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.faults.run import Report, run_schedule
from tests.faults.schedule import Shape

DEFAULT_RATE: Final = 1_500.0
SHOWN: Final = 50


def main() -> int:
    """Run one schedule and return the exit code."""
    arguments = _arguments()
    _say(f"seed {arguments.seed}: {arguments.minutes:g} minutes of faults")
    with tempfile.TemporaryDirectory(prefix="waybill-faults-") as directory:
        home = arguments.home or Path(directory)
        report = asyncio.run(
            run_schedule(
                home,
                seed=arguments.seed,
                minutes=arguments.minutes,
                rate=arguments.rate,
                shape=Shape(arguments.sentinels, arguments.members, arguments.brokers),
            )
        )
    _say(*_lines(report))
    if arguments.save is not None:
        with arguments.save.open("a") as file:
            file.write(json.dumps(report.as_dict()) + "\n")
    return 1 if report.violations else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Break a stack at random, and check what it promises.")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--rate", type=float, default=DEFAULT_RATE, help="events per second")
    parser.add_argument(
        "--sentinels", type=int, default=0, help="Sentinels of Redis, as in 3; it has a replica then"
    )
    parser.add_argument("--members", type=int, default=1, help="members of MongoDB's replica set, as in 3")
    parser.add_argument("--brokers", type=int, default=1, help="brokers of Kafka, as in 3")
    parser.add_argument("--home", type=Path, help="keep the stack's data and logs here")
    parser.add_argument("--save", type=Path, help="append the report to this file, a line of JSON")
    return parser.parse_args()


def _lines(report: Report) -> list[str]:
    return [
        *("", f"{'fault':70}  times"),
        *(f"{fault:70}  {number}" for fault, number in sorted(report.faults.items())),
        *("", f"{'recovery from':70}  worst"),
        *(f"{name:70}  {seconds:.1f} s" for name, seconds in report.worst_recovery_s.items()),
        *("", f"{'answers':70}  number"),
        *(f"{response:70}  {number}" for response, number in report.responses.items()),
        "",
        f"seed {report.seed}: {report.fault_count} faults, {report.acknowledged:,} events acknowledged",
        f"{report.records:,} records, {report.shipments:,} shipments, {report.dead_letters} dead letters",
        ", ".join(f"{number:,} {name}" for name, number in report.corrections.items()),
        f"{report.webhooks:,} webhooks received",
        f"violations: {len(report.violations)}",
        *report.violations[:SHOWN],
    ]


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
