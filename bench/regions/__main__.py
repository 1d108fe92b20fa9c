"""`make bench BENCH=regions`: a model of two regions, and what each failure loses, doubles or changes.

Every row runs the same seeds, and prints in how many runs there was damage, and the worst.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Mapping

from bench.regions.failures import ALTERNATIVES, LOSING, MISTAKES, PROCEDURES, Damage, Failure, World

_KINDS = ("lost", "doubled", "wrong", "unfinished", "changed")


def main() -> int:
    """Run every failure and print the tables; exit code 1 if a procedure does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1_000, help="runs of each failure")
    seeds = range(parser.parse_args().seeds)
    started = time.process_time()
    broken = [
        name for name, damages in _table("procedure followed", PROCEDURES, seeds) if not _holds(name, damages)
    ]
    _table("procedure not followed", MISTAKES, seeds)
    _table("one replica set, region lost for ever", ALTERNATIVES, seeds)
    _say("", f"{len(seeds)} seeds, {time.process_time() - started:.1f} s of CPU")
    _say(*(f"the procedure does not hold: {name}" for name in broken))
    return 1 if broken else 0


def _holds(name: str, damages: Iterable[Damage]) -> bool:
    may_lose = name in LOSING
    return not any(each.doubled or each.wrong or (each.lost and not may_lose) for each in damages)


def _table(
    title: str, failures: Mapping[str, Failure], seeds: Iterable[int]
) -> list[tuple[str, list[Damage]]]:
    results = [(name, [failure(World(seed)) for seed in seeds]) for name, failure in failures.items()]
    _say("", f"{title:40}{'acknowledged':>13}" + "".join(f"{kind:>24}" for kind in _KINDS))
    for name, damages in results:
        columns = "".join(f"{_shown([getattr(each, kind) for each in damages]):>24}" for kind in _KINDS)
        _say(f"{name:40}{sum(each.acknowledged for each in damages):13,}{columns}")
    return results


def _shown(counts: list[int]) -> str:
    damaged = sum(map(bool, counts))
    return f"{sum(counts):,} in {damaged:,}, most {max(counts)}" if damaged else "0"


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    sys.exit(main())
