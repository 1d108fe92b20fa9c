"""Throughput: batches of events through the gateway until they are applied, all on this machine.

    make bench ARGS='--rounds 5 --save'

Starts a stack of its own. Each round, on shipments of its own, registered before: what MongoDB alone can take
(the ceiling); the processor alone, draining a topic that was filled while it was frozen; and a realistic mix
(5 % exact duplicates, 1 % illegal transitions) posted with authentication on, until each event has its
outcome. Prints the rounds, their medians as shares of the ceiling, and the CPU time of each process.
"""

import asyncio
import os
import signal
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import aiohttp
from bench import ceiling
from bench.load import (
    Load,
    applied,
    command_log,
    commands_of,
    cpu_seconds,
    kafka_settings,
    log_in,
    make_load,
    passed,
    register,
    resident_mib,
)
from bench.saving import command_line, publish
from bench.stacks import AS_IT_COMES, ONE_PER_CORE, bench_stack

from devstack.client import RunningStack

FILLED_AT_ONCE: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Size of the load.

    Attributes:
        events: end to end.
        drained: events of the ceiling and of the processor alone.
        batch: events a request.
        transaction: records a transaction of the ceiling, at most.
        connections: requests at once.
    """

    events: int = 200_000
    drained: int = 100_000
    batch: int = 500
    transaction: int = 1000
    connections: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Measured figures: seconds until all was accepted and applied, CPU seconds by process."""

    events: int
    accepted_s: float
    applied_s: float
    cpu_s: dict[str, float]

    @property
    def events_s(self) -> float:
        """Events a second, until all were applied."""
        return self.events / self.applied_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Figures that were measured one after the other, and are compared."""

    ceiling: ceiling.Ceiling
    drained: Figures
    posted: Figures


async def post_all(stack: RunningStack, bodies: Sequence[bytes], *, connections: int) -> None:
    """Post the batches in order, `connections` at a time; any status but 202 ends the run."""
    async with aiohttp.ClientSession(stack.gateway_url) as session:
        token = await log_in(session, "driver_user_001")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        waiting = iter(bodies)

        async def lane() -> None:
            for body in waiting:
                async with session.post("/events/batch", data=body, headers=headers) as response:
                    if response.status != HTTPStatus.ACCEPTED:
                        raise RuntimeError(f"{response.status}: {await response.text()}")
                    await response.read()

        await asyncio.gather(*(lane() for _ in range(connections)))


async def measure(stack: RunningStack, load: Load, *, connections: int) -> Figures:
    """Post the load and wait until it is applied."""
    await register(stack, load.numbers)
    end = passed(stack) + load.events
    before, started = cpu_seconds(stack), time.perf_counter()
    await post_all(stack, load.bodies, connections=connections)
    accepted_s = time.perf_counter() - started
    await applied(stack, end)
    return _figures(stack, load, before, started, accepted_s=accepted_s)


async def drain(stack: RunningStack, load: Load) -> Figures:
    """Fill the topic while the processors are frozen, for less than a session timeout, then resume them."""
    await register(stack, load.numbers)
    end = passed(stack) + load.events
    commands = list(commands_of(load))
    async with command_log(kafka_settings(stack)) as log:
        processors = [
            stack.signal("processor", signal.SIGSTOP, index=index)
            for index in range(len(stack.members()["processor"]))
        ]
        for at in range(0, len(commands), FILLED_AT_ONCE):
            await log.append(commands[at : at + FILLED_AT_ONCE])
    before, started = cpu_seconds(stack), time.perf_counter()
    for processor in processors:
        os.kill(processor.pid, signal.SIGCONT)
    await applied(stack, end)
    return _figures(stack, load, before, started, accepted_s=0.0)


def _figures(
    stack: RunningStack, load: Load, before: dict[str, float], started: float, *, accepted_s: float
) -> Figures:
    applied_s = time.perf_counter() - started
    used = {name: seconds - before[name] for name, seconds in cpu_seconds(stack).items()}
    return Figures(events=load.events, accepted_s=accepted_s, applied_s=applied_s, cpu_s=used)


def play(stack: RunningStack, seed: int, sizes: Sizes) -> Round:
    """Measure one round, each part with its own load."""
    first = make_load(events=sizes.drained, batch=sizes.batch, seed=3 * seed)
    top = ceiling.measure(stack, first, batch=sizes.transaction)
    second = make_load(events=sizes.drained, batch=sizes.batch, seed=3 * seed + 1)
    drained = asyncio.run(drain(stack, second))
    third = make_load(events=sizes.events, batch=sizes.batch, seed=3 * seed + 2)
    posted = asyncio.run(measure(stack, third, connections=sizes.connections))
    return Round(ceiling=top, drained=drained, posted=posted)


def report(rounds: Sequence[Round], sizes: Sizes) -> str:
    """Return the figures as text."""
    return "\n".join((*_head(rounds, sizes), *_rounds(rounds), *_cpu(rounds)))


def compared(what: str, having: Sequence[float], lacking: Sequence[float]) -> str:
    """Return events a second with and without something, measured in turns, with the ratio of the medians."""
    ratio = statistics.median(having) / statistics.median(lacking)
    return "\n".join(
        (
            f"pipeline   {ratio:.3f} of the throughput without {what} (medians)",
            f"           with    {', '.join(f'{each:,.0f}' for each in having)} events/s",
            f"           without {', '.join(f'{each:,.0f}' for each in lacking)} events/s",
        )
    )


def shares(rounds: Sequence[Round]) -> tuple[float, float]:
    """Return the median shares of the ceiling: of the processor alone, and end to end."""
    drained = statistics.median(each.drained.events_s / each.ceiling.events_s for each in rounds)
    posted = statistics.median(each.posted.events_s / each.ceiling.events_s for each in rounds)
    return drained, posted


def _head(rounds: Sequence[Round], sizes: Sizes) -> Iterator[str]:
    drained, posted = rounds[0].drained.events, rounds[0].posted.events
    yield f"load     {posted} events in batches of {sizes.batch}, {sizes.connections} connections"
    yield f"         ceiling and drain {drained}; transactions of {sizes.transaction} at most"


def _rounds(rounds: Sequence[Round]) -> Iterator[str]:
    yield "events/s       ceiling     drain  share  accepted  end to end  share"
    rows = [_row(each) for each in rounds]
    for number, row in enumerate(rows, 1):
        yield _shown(f"round {number}", row)
    yield _shown("median", [statistics.median(column) for column in zip(*rows, strict=True)])


def _row(measured: Round) -> list[float]:
    top, drained, posted = measured.ceiling.events_s, measured.drained.events_s, measured.posted.events_s
    accepted = measured.posted.events / measured.posted.accepted_s
    return [top, drained, drained / top, accepted, posted, posted / top]


def _shown(name: str, row: Sequence[float]) -> str:
    top, drained, share, accepted, posted, whole = row
    return f"{name:12} {top:9.0f} {drained:9.0f} {share:6.2f} {accepted:9.0f} {posted:11.0f} {whole:6.2f}"


def _cpu(rounds: Sequence[Round]) -> Iterator[str]:
    yield f"{'CPU, µs/event':14} {'end to end':>11} {'drain':>9} {'ceiling':>9}"
    columns = [
        _medians([(each.posted.cpu_s, each.posted.events) for each in rounds]),
        _medians([(each.drained.cpu_s, each.drained.events) for each in rounds]),
        _medians([(each.ceiling.cpu_s, each.drained.events) for each in rounds]),
    ]
    for name in sorted(columns[0], key=lambda name: -columns[0][name]):
        yield f"  {name:14}" + "".join(f"{column[name]:10.1f}" for column in columns)
    yield f"  {'all':14}" + "".join(f"{sum(column.values()):10.1f}" for column in columns)


def _medians(used: Sequence[tuple[dict[str, float], int]]) -> dict[str, float]:
    return {
        name: statistics.median(cpu_s[name] / events * 1e6 for cpu_s, events in used) for name in used[0][0]
    }


def main() -> None:
    """Run the benchmark."""
    usual = Sizes()
    parser = command_line(__doc__, port=18_088)
    parser.add_argument("--events", type=int, default=usual.events)
    parser.add_argument("--drained", type=int, default=usual.drained, help="events of ceiling and drain")
    parser.add_argument("--batch", type=int, default=usual.batch, help="events a request")
    parser.add_argument("--connections", type=int, default=usual.connections)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument(
        "--as-it-comes", action="store_true", help="with as many processors as `make run` starts"
    )
    options = parser.parse_args()
    sizes = Sizes(
        events=options.events,
        drained=options.drained,
        batch=options.batch,
        connections=options.connections,
    )
    environment = AS_IT_COMES if options.as_it_comes else ONE_PER_CORE
    with bench_stack(options.port, environment=environment) as stack:
        rounds = [play(stack, seed, sizes) for seed in range(options.rounds)]
        held = ", ".join(f"{group} {mib:.0f}" for group, mib in resident_mib(stack).items())
    publish("throughput", f"{report(rounds, sizes)}\nresident at the end, MiB: {held}", options)


if __name__ == "__main__":
    main()
