"""Reads: one shipment, lists and their pages, on a million shipments; creations and logins a second.

    make bench BENCH=reads

Starts a stack of its own, writes the shipments straight into MongoDB (not measured), and asks through the
gateway in a closed loop, as an administrator and as a client that owns 15 % of them. Prints p50 to p99.9 of
each kind of read, and requests/s. Every list is asked for with its total. `first count` is the first request
for each status, whose total nobody has counted yet; `list, filter changes` never asks for one twice,
so that its total is counted again. Creations wait for their outcome, 201.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from itertools import repeat
from typing import Final

import aiohttp
import uvloop
from bench.lanes import Lanes, Response, closed_loop, during, open_lanes, request_bytes
from bench.load import STARTED_AT, log_in
from bench.percentiles import Latencies, table
from bench.saving import command_line, publish
from bench.stacks import bench_stack
from bench.stock import APART, BIG_CLIENT, fill, number_at, owner_of
from pydantic_core import from_json, to_json

from devstack.client import RunningStack
from domain.shipments.status import Status

UNLIMITED: Final = {
    "LIMIT_INGEST_PER_S": "1000000",
    "LIMIT_READS_PER_S": "1000000",
    "LIMIT_LOGIN_PER_MIN": "1000000",
    "LIMIT_ADDRESS_PER_S": "1000000",
}
PAGES: Final = 50
CREATED_AT_ONCE: Final = 128
SHIPMENT: Final = {
    "origin": {
        "address": "Av. Insurgentes Sur 100, CDMX",
        "coordinates": {"lat": 19.4, "lng": -99.1},
    },
    "destination": {"address": "Av. Vallarta 1, Guadalajara", "coordinates": {"lat": 20.6, "lng": -103.3}},
    "package": {"weight_kg": 2.5, "content_description": "Refacciones"},
}

Requests = Iterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Requested measurement.

    Attributes:
        seconds: of each kind of read.
        at_once: how many requests at a time.
    """

    shipments: int
    seconds: float
    at_once: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Measured figures of one kind of read."""

    latencies: Latencies
    per_s: float


async def cursor_paths(lanes: Lanes, token: str) -> list[str]:
    """Walk the full list by its cursors, and return the paths of the pages."""
    paths = ["/shipments?limit=100"]
    for _ in range(PAGES):
        response = await _get(lanes, paths[-1], token)
        cursor = from_json(response.body)["pagination"]["next_cursor"]
        if cursor is None:
            break
        paths.append(f"/shipments?limit=100&cursor={cursor}")
    return paths


async def _get(lanes: Lanes, path: str, token: str) -> Response:
    responses: list[Response] = []
    await closed_loop(
        lanes,
        iter([request_bytes("GET", path, token=token)]),
        at_once=1,
        expected=HTTPStatus.OK,
        answered=lambda response, _: responses.append(response),
    )
    return responses[0]


def reads_of(role: str, plan: Plan, *, pages: list[str]) -> dict[str, Callable[[random.Random], str]]:
    """Return the kinds of reads of a role: each makes the path of one request."""
    mine = [index for index in range(min(plan.shipments, 50_000)) if owner_of(index) == BIG_CLIENT]
    all_of_them = range(plan.shipments)

    def filtered(rng: random.Random) -> str:
        since = STARTED_AT - rng.randrange(1, 100_000) * APART - timedelta(milliseconds=rng.randrange(1000))
        return f"/shipments?status=delivered&created_from={since:%Y-%m-%dT%H:%M:%S}.{rng.randrange(1000):03}Z"

    return {
        "one": lambda rng: f"/shipments/{number_at(rng.choice(mine if role == 'client' else all_of_them))}",
        "list, first page": lambda _: "/shipments",
        "list, first page of 100": lambda _: "/shipments?limit=100",
        "list, one status": lambda _: "/shipments?status=in_transit",
        "list, rare status": lambda _: "/shipments?status=cancelled",
        "list, filter changes": filtered,
        "list, offset 10,000": lambda _: f"/shipments?offset={min(10_000, len(mine) // 2)}",
        "list, cursor": lambda rng: rng.choice(pages),
    }


async def measure(lanes: Lanes, path_of: Callable[[random.Random], str], token: str, plan: Plan) -> Measured:
    """Send requests for a while; any status but 200 ends the run."""
    rng = random.Random(1)  # noqa: S311  # a load, not a secret
    paths = (request_bytes("GET", path_of(rng), token=token) for _ in iter(int, 1))
    return await _timed(lanes, during(plan.seconds, paths), at_once=plan.at_once)


async def measure_first_counts(lanes: Lanes, token: str) -> Measured:
    """Ask for the list of each status once, one after the other."""
    paths = (request_bytes("GET", f"/shipments?status={status}", token=token) for status in Status)
    return await _timed(lanes, paths, at_once=1)


async def measure_logins(lanes: Lanes, plan: Plan) -> Measured:
    """Log in for a while."""
    login = to_json({"username": "client_user_001", "password": "password123"})
    requests = repeat(request_bytes("POST", "/auth/login", body=login))
    return await _timed(lanes, during(plan.seconds, requests), at_once=plan.at_once)


async def measure_creations(url: str, token: str, plan: Plan) -> Measured:
    """Create shipments for a while, `CREATED_AT_ONCE` at a time."""
    requests = repeat(request_bytes("POST", "/shipments", token=token, body=to_json(SHIPMENT)))
    async with open_lanes(url, CREATED_AT_ONCE) as lanes:
        return await _timed(
            lanes,
            during(plan.seconds, requests),
            at_once=CREATED_AT_ONCE,
            expected=HTTPStatus.CREATED,
        )


async def _timed(
    lanes: Lanes, requests: Requests, *, at_once: int, expected: HTTPStatus = HTTPStatus.OK
) -> Measured:
    latencies = Latencies()
    started = time.perf_counter()
    await closed_loop(
        lanes,
        requests,
        at_once=at_once,
        expected=expected,
        answered=lambda _, seconds: latencies.add(seconds),
    )
    return Measured(latencies, len(latencies) / (time.perf_counter() - started))


async def measure_all(stack: RunningStack, plan: Plan) -> dict[str, Measured]:
    """Measure each kind of read for each role, then the logins."""
    results: dict[str, Measured] = {}
    async with (
        aiohttp.ClientSession(stack.gateway_url) as session,
        open_lanes(stack.gateway_url, plan.at_once) as lanes,
    ):
        for role, username in {"admin": "admin_user", "client": "client_user_001"}.items():
            token = await log_in(session, username)
            results[f"{role}: first count"] = await measure_first_counts(lanes, token)
            pages = await cursor_paths(lanes, token)
            for name, path_of in reads_of(role, plan, pages=pages).items():
                results[f"{role}: {name}"] = await measure(lanes, path_of, token, plan)
        results[f"creation, {CREATED_AT_ONCE} at once"] = await measure_creations(
            stack.gateway_url, token, plan
        )
        results["login"] = await measure_logins(lanes, plan)
    return results


def report(results: Mapping[str, Measured]) -> str:
    """Return the percentiles as text, and the requests in a second."""
    lines = table({name: each.latencies for name, each in results.items()}).splitlines()
    rates = ["requests/s", *(f"{each.per_s:.0f}" for each in results.values())]
    return "\n".join(f"{line}{rate:>12}" for line, rate in zip(lines, rates, strict=True))


def main() -> None:
    """Run the benchmark."""
    parser = command_line(__doc__, port=18_188)
    parser.add_argument("--shipments", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each kind of read")
    parser.add_argument("--at-once", type=int, default=4)
    options = parser.parse_args()
    plan = Plan(shipments=options.shipments, seconds=options.seconds, at_once=options.at_once)
    with bench_stack(options.port, environment=UNLIMITED) as stack:
        fill(stack, plan.shipments)
        results = uvloop.run(measure_all(stack, plan))
    publish(
        "reads", f"load     {plan.shipments:,} shipments, {plan.at_once} at once\n{report(results)}", options
    )


if __name__ == "__main__":
    main()
