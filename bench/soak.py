"""Soak: half of the stack's capacity, for a while. Nothing may grow, be lost or be applied twice.

    make soak MINUTES=20 ARGS='--share 0.5 --save'

Starts a stack of its own, measures its capacity (unless given a rate), then sends a steady mix through
the gateway: registrations, batches, events that are waited for, 5 % duplicates, 1 % illegal transitions,
reads. Every few seconds it notes what each process holds. At the end it compares the last quarter with the
second, waits until all is applied and checks every event that was sent against the log and MongoDB.

The first quarter does not count, and before it comes a warm-up, in which bounded caches fill: 500 shipments
a partition in the processor, the partitions of 32,768 tracking numbers in each producer.
"""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.lives import SHIPMENTS, block_of
from bench.load import applied, command_log, kafka_settings, make_load
from bench.sampling import Sampler, Samples
from bench.saving import command_line, publish
from bench.soaking import Soaking
from bench.stacks import bench_stack
from bench.throughput import measure
from bench.verifying import verify

from devstack.client import RunningStack
from devstack.home.stack_file import SERVICES

SAMPLE_EVERY_S: Final = 5.0
CACHED_SHIPMENTS: Final = 6_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Requested run; `rate` in events a second, None: `share` of the measured capacity."""

    minutes: float
    share: float = 0.5
    rate: float | None = None
    warm_up_s: float | None = None
    capacity_events: int = 100_000
    sample_every_s: float = SAMPLE_EVERY_S
    seed: int = 1


@dataclass(slots=True)
class Result:
    """Result of a soak."""

    rate: float
    warm_up_s: float
    seconds: float = 0.0
    soaking: Soaking | None = None
    samples: Samples = field(default_factory=Samples)
    wrong: Sequence[str] = ()

    def broken(self) -> list[str]:
        """Return the violated bounds."""
        return [*self.samples.broken(), *self.wrong]


async def soak(stack: RunningStack, plan: Plan) -> Result:
    """Run a soak on a stack that nobody else uses."""
    passed, rate = 0, plan.rate
    if rate is None:
        load = make_load(events=plan.capacity_events, batch=500, seed=plan.seed)
        figures = await measure(stack, load, connections=4)
        passed, rate = len(load.numbers) + load.events, plan.share * figures.events / figures.applied_s
    block = block_of(plan.seed, 0)
    warm_up_s = CACHED_SHIPMENTS / (rate * SHIPMENTS / block.events)
    result = Result(rate, warm_up_s if plan.warm_up_s is None else plan.warm_up_s)
    soaking = result.soaking = Soaking(plan.seed, rate, stack.gateway_url)
    sampler = Sampler(stack)
    start = await sampler.ends()
    over, watched = asyncio.Event(), asyncio.Event()
    async with command_log(kafka_settings(stack)) as log, asyncio.TaskGroup() as group:
        group.create_task(soaking.run(log, over))
        await asyncio.sleep(result.warm_up_s)
        began = time.monotonic()
        watching = group.create_task(sampler.watch(result.samples, watched, every_s=plan.sample_every_s))
        await asyncio.sleep(plan.minutes * 60)
        result.seconds = time.monotonic() - began
        watched.set()
        await watching
        over.set()
    await applied(stack, passed + soaking.events)
    result.wrong = await verify(stack, soaking, start=start)
    return result


def report(result: Result) -> str:
    """Return the result as text."""
    return "\n".join(_lines(result))


def _lines(result: Result) -> Iterator[str]:
    soaking = result.soaking
    if soaking is None:
        return
    yield f"load             {result.rate:.0f} events/s, {result.warm_up_s:.0f} s of warm-up"
    yield f"                 and {result.seconds:.0f} s; the generator was late by {soaking.behind_s:.1f} s"
    yield f"sent             {soaking.events} events of {soaking.blocks * SHIPMENTS} shipments"
    responses = ", ".join(f"{status}: {times}" for status, times in sorted(soaking.responses.items()))
    yield f"answers          {responses}; posts repeated: {soaking.doubts.total()}"
    yield f"{'':24} {'2nd quarter':>12} {'last':>12} {'change':>8}"
    for name in sorted(result.samples.series, key=lambda name: (not name.startswith(SERVICES), name)):
        second, last = result.samples.quarters(name)
        change = f"{(last / second - 1) * 100:+7.1f}%" if second else ""
        yield f"{name:24} {second:12.1f} {last:12.1f} {change:>8}"
    broken = result.broken()
    yield f"verdict          {'all bounds hold; nothing lost, nothing twice' if not broken else 'BROKEN'}"
    yield from (f"  {each}" for each in broken)


def main() -> None:
    """Run the soak."""
    usual = Plan(minutes=20.0)
    parser = command_line(__doc__, port=18_089)
    parser.add_argument("--minutes", type=float, default=usual.minutes)
    parser.add_argument("--share", type=float, default=usual.share, help="of the capacity, measured first")
    parser.add_argument("--rate", type=float, help="events a second, instead")
    parser.add_argument("--warm-up", type=float, help="seconds, instead of until all caches are full")
    parser.add_argument("--seed", type=int, default=usual.seed)
    options = parser.parse_args()
    plan = Plan(
        minutes=options.minutes,
        share=options.share,
        rate=options.rate,
        warm_up_s=options.warm_up,
        seed=options.seed,
    )
    with bench_stack(options.port) as stack:
        result = asyncio.run(soak(stack, plan))
    publish("soak", report(result), options)
    sys.exit(bool(result.broken()))


if __name__ == "__main__":
    main()
