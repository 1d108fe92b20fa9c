"""Live streams: many open ones with the memory they take, and what a thousand cost the pipeline.

    make bench BENCH=streams ARGS='--save'

Each part starts a stack of its own, with light clients in this process (`bench.followers`), all streams
through the gateway:

- open: 10,000 streams of tracking pages, some on each of 200 shipments. How long they take to open; memory of
  the gateway and of the portal before and meanwhile; CPU while they do nothing but send heartbeats and
  reconnect, as each does once a minute; then each shipment changes once: how late those who follow hear it;
- pipeline: the throughput of batches with 1,000 open streams, half of the pages and half of the API, on
  shipments that change meanwhile, and without any, in turns.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
import psutil
import uvloop
from bench.followers import Followers, all_open, following
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
)
from bench.percentiles import Latencies, table
from bench.saving import command_line, publish
from bench.stacks import ONE_PER_CORE, bench_stack
from bench.throughput import compared, post_all

from devstack.client import RunningStack
from domain.shipments.tracking_number import TrackingNumber
from servicekit.process import allow_open_files

PARTS: Final = ("open", "pipeline")
UNLIMITED: Final = {
    "LIMIT_INGEST_PER_S": "1000000",
    "LIMIT_READS_PER_S": "1000000",
    "LIMIT_PUBLIC_PER_MIN": "1000000",
    "STREAMS_PER_ADDRESS": "1000000",
    "STREAMS_PER_REPLICA": "1000000",
}
WITHIN_S: Final = 300.0
CHANGES_PER_S: Final = 20.0
HELD: Final = ("gateway", "portal")
MIB: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Size of the load.

    Attributes:
        streams: open at once.
        shipments: that they follow.
        quiet_s: how long nothing happens; a minute or more, so that each stream ends and is opened again.
        followed: streams beside the pipeline.
        rounds: of each kind.
        events: in a round.
    """

    streams: int
    shipments: int
    quiet_s: float
    followed: int
    rounds: int
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Figures of many open streams.

    Attributes:
        open_s: seconds until all were open.
        before: memory in MiB by service, without streams.
        held: memory with all of them open.
        cores: CPU by service while nothing happened, in cores.
        reopened: streams that were opened again meanwhile.
        rejected: responses that were no stream.
        delays: from before a change is appended to the log until a follower hears it.
    """

    open_s: float
    before: dict[str, float]
    held: dict[str, float]
    cores: dict[str, float]
    reopened: int
    rejected: int
    delays: Latencies


def memory(stack: RunningStack) -> dict[str, float]:
    """Return the memory in MiB of what streams go through; the gateway's is all of its process."""
    members = stack.members()
    return {
        group: sum(psutil.Process(each.pid).memory_info().rss for each in members[group]) / MIB
        for group in HELD
    }


async def open_many(stack: RunningStack, sizes: Sizes) -> Opened:
    """Open the streams, let them be, then change each shipment once."""
    load = make_load(events=4 * sizes.shipments, batch=500, seed=1)
    await register(stack, load.numbers)
    begun_at: dict[str, float] = {}
    delays = Latencies()

    def heard(path: str, version: int) -> None:
        if version > 1:
            delays.add(time.perf_counter() - begun_at[path])

    paths = [page_stream(load.numbers[index % len(load.numbers)]) for index in range(sizes.streams)]
    before, begun = memory(stack), time.perf_counter()
    async with following(stack.gateway_url, paths, heard=heard) as followers:
        await all_open(followers, sizes.streams, within_s=WITHIN_S)
        open_s, held = time.perf_counter() - begun, memory(stack)
        opened, used = followers.opened, cpu_seconds(stack)
        await asyncio.sleep(sizes.quiet_s)
        reopened = followers.opened - opened
        cores = {name: (each - used[name]) / sizes.quiet_s for name, each in cpu_seconds(stack).items()}
        held = {name: max(each, held[name]) for name, each in memory(stack).items()}
        await change_each(stack, load, begun_at)
        await _heard_by(followers, delays, sizes.streams)
    return Opened(
        open_s=open_s,
        before=before,
        held=held,
        cores=cores,
        reopened=reopened,
        rejected=followers.rejected,
        delays=delays,
    )


async def change_each(stack: RunningStack, load: Load, begun_at: dict[str, float]) -> None:
    """Append one event for each shipment at a steady rate, and note when each one began."""
    first = {command.tracking_number: command for command in reversed(list(commands_of(load)))}
    async with command_log(kafka_settings(stack)) as log:
        start = time.perf_counter()
        for index, (number, command) in enumerate(first.items()):
            await asyncio.sleep(max(0.0, start + index / CHANGES_PER_S - time.perf_counter()))
            begun_at[page_stream(number)] = time.perf_counter()
            await log.append([command])


async def _heard_by(followers: Followers, delays: Latencies, count: int) -> None:
    async with asyncio.timeout(WITHIN_S):
        while len(delays) < count:  # noqa: ASYNC110  # light while it runs
            await asyncio.sleep(0.1)
    if followers.rejected:
        raise RuntimeError(f"{followers.rejected} responses were no stream")


async def pipeline(stack: RunningStack, sizes: Sizes) -> tuple[list[float], list[float]]:
    """Return the events a second with open streams, and without any, in turns."""
    followed, alone = list[float](), list[float]()
    for turn in range(2 * sizes.rounds + 2):
        load = make_load(events=sizes.events, batch=500, seed=200 + turn)
        await register(stack, load.numbers)
        is_followed = turn % 2 == 0
        async with _followed(stack, load, sizes.followed if is_followed else 0):
            figure = await _throughput(stack, load)
        if turn > 1:  # the first of each kind warms up
            (followed if is_followed else alone).append(figure)
    return followed, alone


@asynccontextmanager
async def _followed(stack: RunningStack, load: Load, count: int) -> AsyncIterator[None]:
    """Follow some shipments of a load, spread over it: half by the page's streams, half by the API's."""
    numbers = list(_spread(load.numbers, count))
    async with aiohttp.ClientSession(stack.gateway_url) as session, AsyncExitStack() as exits:
        token = await log_in(session, "admin_user")
        pages = following(stack.gateway_url, map(page_stream, numbers[::2]))
        api = following(stack.gateway_url, map(api_stream, numbers[1::2]), token=token)
        everyone = [await exits.enter_async_context(each) for each in (pages, api)]
        while sum(each.open for each in everyone) < count:  # noqa: ASYNC110  # soon, or the run hangs
            await asyncio.sleep(0.05)
        yield


def _spread(numbers: Sequence[TrackingNumber], count: int) -> Iterator[TrackingNumber]:
    return (numbers[index * len(numbers) // count] for index in range(count))


async def _throughput(stack: RunningStack, load: Load) -> float:
    end = passed(stack) + load.events
    started = time.perf_counter()
    await post_all(stack, load.bodies, connections=4)
    await applied(stack, end)
    return load.events / (time.perf_counter() - started)


def page_stream(number: TrackingNumber) -> str:
    """Return the path of the stream of a tracking page."""
    return f"/track/{number}/stream"


def api_stream(number: TrackingNumber) -> str:
    """Return the path of the API's stream."""
    return f"/shipments/{number}/stream"


def report_open(port: int, sizes: Sizes) -> str:
    """Measure many open streams."""
    with bench_stack(port, environment=UNLIMITED) as stack:
        opened = uvloop.run(open_many(stack, sizes))
    head = (
        f"open       {sizes.streams:,} streams on {sizes.shipments} shipments in {opened.open_s:.1f} s; "
        f"{opened.reopened:,} opened again in {sizes.quiet_s:g} s, {opened.rejected} rejected"
    )
    cores = ", ".join(f"{name} {each:.3f}" for name, each in opened.cores.items() if f"{each:.3f}" != "0.000")
    delays = table({f"from a change until it is heard, {CHANGES_PER_S:g} changes/s": opened.delays})
    return "\n".join(
        [head, *_memory_lines(opened, sizes), f"           cores while nothing changes: {cores}", delays]
    )


def _memory_lines(opened: Opened, sizes: Sizes) -> Iterator[str]:
    for name in HELD:
        held, before = opened.held[name], opened.before[name]
        each_kib = (held - before) * 1024 / sizes.streams
        yield f"           {name:8} {before:6.0f} MiB before, {held:6.0f} with them: {each_kib:.0f} KiB each"


def report_pipeline(port: int, sizes: Sizes) -> str:
    """Measure what open streams cost the pipeline."""
    with bench_stack(port, environment={**UNLIMITED, **ONE_PER_CORE}) as stack:
        followed, alone = uvloop.run(pipeline(stack, sizes))
    return compared(f"{sizes.followed:,} open streams", followed, alone)


def main() -> None:
    """Run the benchmark."""
    parser = command_line(__doc__, port=18_191)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--shipments", type=int, default=200)
    parser.add_argument("--quiet-s", type=float, default=70.0)
    parser.add_argument("--followed", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=100_000)
    options = parser.parse_args()
    allow_open_files()
    sizes = Sizes(**{name: getattr(options, name) for name in Sizes.__slots__})
    reports = {"open": report_open, "pipeline": report_pipeline}
    publish("streams", "\n".join(reports[part](options.port, sizes) for part in options.parts), options)


if __name__ == "__main__":
    main()
