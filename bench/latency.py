"""Latency: single events through the gateway, until they are accepted and until they can be read.

    make bench BENCH=latency

Starts a stack of its own and sends events with a token, in an open loop (`bench.lanes`): at 100, 1,000 and
3,000 a second as independent senders would, and at 5 a second evenly, which is the latency of an idle system.
Each latency counts from the instant at which the event was meant to leave:

- accepted: until the 202 is here, so until Kafka has the event;
- visible: until its message on the topic `shipments.changes` is here, which this process follows. The
  processor sends it after its transaction is committed by the majority: a read then finds the change,
  and has found it for a moment already.

Prints p50 to p99.9; `--save` writes them, and a picture, to bench/results.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import aiohttp
import uvloop
from aiokafka import AIOKafkaConsumer
from bench.lanes import arrivals, open_lanes, open_loop, request_bytes
from bench.load import WALK, applied, log_in, make_load, passed, register, status_event
from bench.percentiles import Latencies, plot, table
from bench.saving import command_line, publish, result_path
from bench.stacks import bench_stack
from bench.throughput import post_all
from pydantic_core import to_json

from devstack.client import RunningStack
from domain.shipments.event_identity import EventId, event_id
from domain.shipments.tracking_number import TrackingNumber, derive_tracking_number
from domain.timestamps import parse_timestamp
from messaging.topics import Topics

IDLE_RATE: Final = 5.0
WARM_UP_S: Final = 3.0
WARM_UP_EVENTS: Final = 60_000
VISIBLE_WITHIN_S: Final = 60.0
CONNECTIONS: Final = (4, 64)
"""At least and at most, else one for each ten events a second: the gateway closes what is idle for 10 s."""

UNLIMITED: Final = {"LIMIT_INGEST_PER_S": "1000000"}

_ID: Final = b'"id":"'


@dataclass(frozen=True, slots=True)
class Load:
    """Events of one run: requests, their future ids, and send times relative to the start."""

    numbers: Sequence[TrackingNumber]
    requests: Sequence[bytes]
    ids: Sequence[EventId]
    instants: Sequence[float]

    @property
    def connections(self) -> int:
        """Number of connections needed."""
        least, most = CONNECTIONS
        return max(least, min(most, round(len(self.instants) / self.instants[-1] / 10)))


@dataclass(frozen=True, slots=True)
class Measured:
    """Measured latencies of one run."""

    accepted: Latencies = field(default_factory=Latencies)
    visible: Latencies = field(default_factory=Latencies)


class Follower:
    """Consumer of `shipments.changes` that records when the message of each event arrived."""

    def __init__(self, stack: RunningStack) -> None:
        self._consumer = AIOKafkaConsumer(
            Topics().changes, bootstrap_servers=stack.kafka_brokers, enable_auto_commit=False
        )
        self.seen: dict[EventId, float] = {}

    async def run(self, ready: asyncio.Event) -> None:
        """Follow until cancelled."""
        async with self._consumer as consumer:
            await consumer.seek_to_end()
            ready.set()
            while True:
                found = await consumer.getmany(timeout_ms=1000)
                now = time.perf_counter()
                for records in found.values():
                    for record in records:
                        self.seen[id_in(record.value)] = now


def id_in(message: bytes) -> EventId:
    """Return the id of the event in a message, without parsing all of it."""
    start = message.index(_ID) + len(_ID)
    return EventId(message[start : message.index(b'"', start)].decode())


def load_of(rate: float, seconds: float, *, token: str, seed: int) -> Load:
    """Make the events of one run: the steps of some shipments, all of the first step before the next one."""
    count = max(len(WALK), round(rate * seconds) // len(WALK) * len(WALK))
    numbers = [derive_tracking_number("latency", f"{rate}-{index}", 0) for index in range(count // len(WALK))]
    events = [
        status_event(number, status, step, index)
        for step, status in enumerate(WALK)
        for index, number in enumerate(numbers)
    ]
    idle = rate <= IDLE_RATE
    return Load(
        numbers,
        [request_bytes("POST", "/events", token=token, body=to_json(each)) for each in events],
        [
            event_id(each["tracking_number"], parse_timestamp(each["timestamp"]), each["source"])
            for each in events
        ],
        [index / rate for index in range(count)] if idle else arrivals(rate=rate, count=count, seed=seed),
    )


async def measure(stack: RunningStack, load: Load, *, warm_up_s: float) -> Measured:
    """Send the events of a run and wait until all of them are visible; any status but 202 ends it."""
    follower, ready, result = Follower(stack), asyncio.Event(), Measured()
    following = asyncio.create_task(follower.run(ready))
    await ready.wait()
    async with open_lanes(stack.gateway_url, load.connections) as lanes:
        start = time.perf_counter() + 0.1

        def answered(index: int) -> None:
            if load.instants[index] >= warm_up_s:
                result.accepted.add(time.perf_counter() - start - load.instants[index])

        instants = [start + each for each in load.instants]
        await open_loop(lanes, load.requests, instants, expected=HTTPStatus.ACCEPTED, answered=answered)
    await _all_seen(follower, following, frozenset(load.ids))
    for each, instant in zip(load.ids, load.instants, strict=True):
        if instant >= warm_up_s:
            result.visible.add(follower.seen[each] - start - instant)
    return result


async def _all_seen(follower: Follower, following: asyncio.Task[None], ids: AbstractSet[EventId]) -> None:
    """Wait for the messages of these events; those of earlier ones may come late, and do not count."""
    async with asyncio.timeout(VISIBLE_WITHIN_S):
        while not (ids <= follower.seen.keys() or following.done()):  # noqa: ASYNC110  # light while it runs
            await asyncio.sleep(0.05)
    following.cancel()
    await asyncio.wait((following,))
    if not following.cancelled():
        following.result()


async def warm_up(stack: RunningStack) -> None:
    """Let the stack work for some seconds: Kafka's JVM compiles during the first half minute of load."""
    load = make_load(events=WARM_UP_EVENTS, batch=100, seed=2)
    await register(stack, load.numbers)
    end = passed(stack) + load.events
    await post_all(stack, load.bodies, connections=4)
    await applied(stack, end)


async def measure_all(stack: RunningStack, rates: Sequence[float], seconds: float) -> dict[str, Measured]:
    """Measure each rate, one after the other."""
    await warm_up(stack)
    async with aiohttp.ClientSession(stack.gateway_url) as session:
        token = await log_in(session, "driver_user_001")
    loads = {rate: load_of(rate, seconds, token=token, seed=1) for rate in rates}
    await register(stack, [number for load in loads.values() for number in load.numbers])
    results: dict[str, Measured] = {}
    for rate, load in loads.items():
        warm_up_s = min(WARM_UP_S, seconds / 4)
        results[_name(rate)] = await measure(stack, load, warm_up_s=warm_up_s)
    return results


def rows(results: Mapping[str, Measured], what: str) -> dict[str, Latencies]:
    """Return the latencies of one kind, by run."""
    return {f"{what}, {name}": getattr(result, what) for name, result in results.items()}


def report(results: Mapping[str, Measured]) -> str:
    """Return the percentiles as text."""
    return table({**rows(results, "accepted"), **rows(results, "visible")})


def _name(rate: float) -> str:
    return f"idle ({rate:g}/s)" if rate <= IDLE_RATE else f"{rate:,.0f}/s"


def main() -> None:
    """Run the benchmark."""
    parser = command_line(__doc__, port=18_188)
    parser.add_argument("--rates", type=float, nargs="+", default=[IDLE_RATE, 100.0, 1_000.0, 3_000.0])
    parser.add_argument("--seconds", type=float, default=30.0, help="of each rate")
    options = parser.parse_args()
    with bench_stack(options.port, environment=UNLIMITED) as stack:
        results = uvloop.run(measure_all(stack, options.rates, options.seconds))
    load = f"load     single events, {options.seconds:g} s of each rate"
    publish("latency", f"{load}\n{report(results)}", options)
    if options.save:
        title = "Visible after, by events a second"
        plot(rows(results, "visible"), result_path("latency", "png"), title=title)


if __name__ == "__main__":
    main()
