"""The public page: how late it is at a steady rate of readers who do not wait for each other.

    make bench BENCH=pages

Starts a stack of its own, writes shipments straight into MongoDB (not measured), and asks for them through
the gateway in an open loop: the page, the public JSON, and the page of numbers that no shipment has. Prints
p50 to p99.9 of each. Each request is for another shipment, so that no cache of a document helps.
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import uvloop
from bench.lanes import arrivals, open_lanes, open_loop, request_bytes
from bench.percentiles import Latencies, table
from bench.saving import command_line, publish
from bench.stacks import bench_stack
from bench.stock import fill, number_at

from devstack.client import RunningStack
from domain.shipments.tracking_number import derive_tracking_number

# All readers of a benchmark have one address.
UNLIMITED: Final = {"LIMIT_PUBLIC_PER_MIN": "1000000"}
CONNECTIONS: Final = 64
WARM_UP_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Kind of request.

    Attributes:
        path_of: returns the path of the n-th request.
        status: of its responses.
    """

    path_of: Callable[[int], str]
    status: HTTPStatus


def kinds_of(shipments: int) -> Mapping[str, Kind]:
    """Return the measured kinds."""
    order = list(range(shipments))
    random.Random(1).shuffle(order)  # noqa: S311  # a load, not a secret

    def shipment(index: int) -> str:
        return str(number_at(order[index % shipments]))

    return {
        "page": Kind(path_of=lambda index: f"/track/{shipment(index)}", status=HTTPStatus.OK),
        "public JSON": Kind(
            path_of=lambda index: f"/public/shipments/{shipment(index)}", status=HTTPStatus.OK
        ),
        "page, not found": Kind(
            path_of=lambda index: f"/track/{derive_tracking_number('nobody', str(index), 0)}",
            status=HTTPStatus.NOT_FOUND,
        ),
    }


async def measure(stack: RunningStack, kind: Kind, *, rate: float, seconds: float) -> Latencies:
    """Send requests at a rate; those of the first two seconds are not counted."""
    latencies = Latencies()
    count = round(rate * (WARM_UP_S + seconds))
    requests = [request_bytes("GET", kind.path_of(index)) for index in range(count)]
    async with open_lanes(stack.gateway_url, CONNECTIONS) as lanes:
        start = time.perf_counter()
        instants = [start + each for each in arrivals(rate=rate, count=count, seed=1)]

        def answered(index: int) -> None:
            if instants[index] - start >= WARM_UP_S:
                latencies.add(time.perf_counter() - instants[index])

        await open_loop(lanes, requests, instants, expected=kind.status, answered=answered)
    return latencies


async def measure_all(
    stack: RunningStack, *, shipments: int, rate: float, seconds: float
) -> dict[str, Latencies]:
    """Measure each kind, one after the other."""
    return {
        name: await measure(stack, kind, rate=rate, seconds=seconds)
        for name, kind in kinds_of(shipments).items()
    }


def main() -> None:
    """Run the benchmark."""
    parser = command_line(__doc__, port=18_193)
    parser.add_argument("--shipments", type=int, default=50_000)
    parser.add_argument("--rate", type=float, default=200.0, help="requests in a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each kind")
    options = parser.parse_args()
    with bench_stack(options.port, environment=UNLIMITED) as stack:
        fill(stack, options.shipments)
        results = uvloop.run(
            measure_all(stack, shipments=options.shipments, rate=options.rate, seconds=options.seconds)
        )
    load = f"load     {options.shipments:,} shipments, {options.rate:.0f} requests/s, open loop"
    publish("pages", f"{load}\n{table(results)}", options)


if __name__ == "__main__":
    main()
