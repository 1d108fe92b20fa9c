"""Regression guard: measures the ratios named in bench/floors.toml and fails below a floor.

    make bench-check

Ratios only, each of figures from one run: never absolute times, which say more about the machine.
"""

import argparse
import statistics
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bench import peers, single, throughput
from bench.contenders import CONTENDERS, OURS
from bench.filling import make_filling
from bench.saving import command_line, publish
from bench.stacks import ONE_PER_CORE, bench_stack

FLOORS: Final = Path(__file__).with_name("floors.toml")
DRAIN: Final = "the processor alone, of the ceiling"
WHOLE: Final = "end to end, of the ceiling"
SINGLE: Final = "a single POST, of bare aiohttp"
ROUTED: Final = "a single POST through the gateway, of bare aiohttp"
PEER: Final = "the processor, of "
"""With the change feed; the library's name follows."""
SLOWEST: Final = "faust-streaming"
"""Left out: at a seventh of our rate it takes minutes, and the others are nearer."""


def floors() -> dict[str, float]:
    """Return the required ratios."""
    return {name: float(floor) for name, floor in tomllib.loads(FLOORS.read_text())["floors"].items()}


def measured(options: argparse.Namespace) -> dict[str, float]:
    """Return the ratios measured now."""
    drain, whole = throughput.shares(_rounds(options))
    return {DRAIN: drain, WHOLE: whole, **_single(options), **_peers(options)}


def verdict(reached: Mapping[str, float], wanted: Mapping[str, float]) -> Iterator[tuple[str, bool]]:
    """Yield a line for each floor, with whether it holds."""
    for name, floor in wanted.items():
        holds = reached[name] >= floor
        yield f"{name:52} {reached[name]:6.2f}  floor {floor:.2f}  {'' if holds else 'BELOW'}".rstrip(), holds


def _rounds(options: argparse.Namespace) -> list[throughput.Round]:
    sizes = throughput.Sizes(events=options.events, drained=options.events)
    with bench_stack(options.port, environment=ONE_PER_CORE) as stack:
        return [throughput.play(stack, seed, sizes) for seed in range(options.rounds)]


def _single(options: argparse.Namespace) -> dict[str, float]:
    plan = single.Plan(rounds=options.rounds, seconds=options.seconds, connections=64, processors=False)
    results = single.play(options.port, plan)
    rates = {name: statistics.median(each.per_s for each in rounds) for name, rounds in results.items()}
    bare = rates[single.BARE]
    return {SINGLE: rates[single.DIRECT] / bare, ROUTED: rates[single.GATEWAY] / bare}


def _peers(options: argparse.Namespace) -> dict[str, float]:
    peers.build_peers()
    contenders = [each for each in CONTENDERS if each.publishes and each.library != SLOWEST]
    filling = make_filling(events=options.events, seed=1)
    with bench_stack(options.port, stores_only=True) as stack:
        rounds = peers.play(stack, contenders, filling, options.rounds)
    return {
        f"{PEER}{each.library}": statistics.median(peers.ratios(rounds, each))
        for each in contenders
        if each.library != OURS
    }


def main() -> None:
    """Measure, compare, and report the result as the exit code."""
    parser = command_line(__doc__, port=18_091)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of single POSTs, each target and round")
    options = parser.parse_args()
    lines = list(verdict(measured(options), floors()))
    publish("check", "\n".join(line for line, _ in lines), options)
    sys.exit(not all(holds for _, holds in lines))


if __name__ == "__main__":
    main()
