"""Two replicas of each API behind the gateway, without sticky sessions: they act as one.

The stack is this module's own, with small budgets. Users are made of tokens, so that tests share no budget.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, count

import aiohttp
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from domain.shipments.status import Status
from tests.e2e.checks import assert_error, assert_retry_after
from tests.e2e.ledger import assert_matches_log
from tests.e2e.tokens import signed
from tests.e2e.traffic import event_body, shipment_body
from tests.support.api import PASSWORD, Api, Response, eventually, open_api
from tests.support.ports import unused_port
from tests.support.stack import RunningStack, frozen, kill, start_stack
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(120)]

REPLICAS = 2
SHIPMENTS = 11  # odd: in turns, the second round meets the other replica
BUDGET_PER_S = 100
GREED = 800
LOT = 5  # what a replica may give beyond the budget: 5 % of it
FREE_FAILURES = 5
REVOCATION_POLL_S = 5.0
EVENT_AGE_LIMIT_S = 3.0
MARGIN_S = 3.0
WORKERS = 8
LATE = WORKERS  # each may meet the dying once more: the kernel closes its sockets milliseconds later
RECOVERY_S = 30.0
PAUSE_S = 0.02  # of each caller: the machine is to start a replica, too
USERS = (
    ("admin_user", "admin", None),
    ("client_user_001", "client", "client_001"),
    ("driver_user_001", "producer", None),
)

_numbers = count()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    if os.environ.get("WAYBILL_STACK") == "external":
        pytest.skip("the stack belongs to somebody else: its processes cannot be killed")
    own = {
        "ENV": "development",
        "INGEST_REPLICAS": str(REPLICAS),
        "QUERY_REPLICAS": str(REPLICAS),
        "PROCESSORS": "1",
        "LIMIT_ADDRESS_PER_S": str(BUDGET_PER_S),
        "LIMIT_INGEST_PER_S": str(BUDGET_PER_S),
        "LOGIN_FREE_FAILURES": str(FREE_FAILURES),
        "JWT_REVOCATION_POLL_S": str(REVOCATION_POLL_S),
        "HEALTH_EVENT_AGE_LIMIT_S": str(EVENT_AGE_LIMIT_S),
    }
    with start_stack(
        tmp_path_factory.mktemp("replicas"), env={**os.environ, **own}, port=unused_port()
    ) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tokens(stack: RunningStack) -> Mapping[str, str]:
    """Replace logins, which this module's lockout would disturb."""
    return {
        user: signed(stack.jwt_secret, sub=user, role=role, client_id=client_id)
        for user, role, client_id in USERS
    }


@pytest.fixture
async def ingest(stack: RunningStack) -> AsyncIterator[Sequence[Api]]:
    """Give each replica of ingest-api by itself."""
    async with AsyncExitStack() as exits:
        yield await _each(stack, "ingest-api", exits)


@pytest.fixture
async def query(stack: RunningStack) -> AsyncIterator[Sequence[Api]]:
    """Give each replica of query-api by itself."""
    async with AsyncExitStack() as exits:
        yield await _each(stack, "query-api", exits)


async def _each(stack: RunningStack, group: str, exits: AsyncExitStack) -> Sequence[Api]:
    members = stack.members()[group]
    assert len(members) == REPLICAS
    return [
        await exits.enter_async_context(open_api(f"http://127.0.0.1:{member.port}")) for member in members
    ]


def producer(nobody: Api, stack: RunningStack) -> Api:
    """Give a producer with a budget that nobody has touched."""
    return nobody.by(signed(stack.jwt_secret, sub=f"producer_{next(_numbers)}", role="producer"))


async def answered(replica: Api, status: int, route: str) -> int:
    """Return how many POSTs of a route a replica has answered with this status."""
    series = f'http_requests_total{{method="POST",route="{route}",status="{status}"}} '
    lines = (await replica.get("/metrics")).text.splitlines()
    return sum(int(float(line.removeprefix(series))) for line in lines if line.startswith(series))


@pytest.mark.race
async def test_whichever_replica_is_asked_waits_for_the_outcome(
    admin: Api, driver: Api, ingest: Sequence[Api], query: Sequence[Api], tokens: Mapping[str, str]
) -> None:
    numbers = await asyncio.gather(*(admin.created(shipment_body()) for _ in range(SHIPMENTS)))
    for reader in query:  # what any replica has answered any other shows
        shown = [await reader.by(tokens["admin_user"]).shipment(number) for number in numbers]
        assert {shipment["current_status"] for shipment in shown} == {"created"}

    # Of two such reports of one shipment, one to each replica, the later one is refused.
    responses = await asyncio.gather(*(_awaited(driver, number, Status.PICKED_UP) for number in numbers * 2))
    assert Counter(response.status for response in responses) == {200: len(numbers), 409: len(numbers)}
    responses = await asyncio.gather(*(_awaited(driver, number, Status.DELIVERED) for number in numbers * 2))
    for response in responses:
        assert_error(response, 409, "INVALID_TRANSITION")
    for replica in ingest:
        assert await answered(replica, 201, "/shipments")
        assert await answered(replica, 200, "/events") + await answered(replica, 409, "/events")
        # Which of two reports is first is chance: one replica may have been the faster with all of them.
        number, asked = await admin.created(shipment_body()), replica.by(tokens["driver_user_001"])
        assert (await _awaited(asked, number, Status.PICKED_UP)).status == 200
        assert_error(await _awaited(asked, number, Status.DELIVERED), 409, "INVALID_TRANSITION")


async def _awaited(driver: Api, number: str, status: Status) -> Response:
    response = await driver.post("/events", event_body(number, status), headers={"Prefer": "wait=10"})
    assert response.headers["Preference-Applied"] == "wait=10"
    return response


@pytest.mark.race
async def test_failed_logins_are_counted_over_all_replicas(nobody: Api, query: Sequence[Api]) -> None:
    # Asked without the gateway, a replica still trusts one proxy: the header is the caller's address.
    places: Sequence[Callable[[str], Awaitable[Response]]] = [
        partial(_log_in, nobody),
        *(partial(_log_in, replica, headers={"X-Forwarded-For": "127.0.0.1"}) for replica in query),
    ]
    for number in range(FREE_FAILURES):
        response = await places[number % len(places)]("wrong")
        assert_error(response, 401, "INVALID_CREDENTIALS")

    admitted = 0

    async def locked_everywhere() -> Sequence[Response] | None:
        nonlocal admitted
        responses = await asyncio.gather(*(log_in("wrong") for log_in in places))
        admitted += sum(response.status == 401 for response in responses)
        return responses if all(response.status == 429 for response in responses) else None

    # A slow machine may let the first lock, of a second, pass; the next is twice as long.
    for response in await eventually(locked_everywhere):
        assert_error(response, 429, "TOO_MANY_ATTEMPTS")
        assert_retry_after(response)
    assert admitted < FREE_FAILURES  # so many more would each replica admit that counted alone

    async def reset_by_a_success() -> bool | None:
        return True if (await places[1](PASSWORD)).status == 200 else None

    await eventually(reset_by_a_success, within_s=RECOVERY_S)
    assert [(await log_in(PASSWORD)).status for log_in in places] == [200] * len(places)


async def _log_in(replica: Api, password: str, headers: Mapping[str, str] | None = None) -> Response:
    credentials = {"username": "client_user_002", "password": password}
    return await replica.post("/auth/login", credentials, headers=headers)


async def test_a_logout_at_one_replica_holds_at_all(
    stack: RunningStack, ingest: Sequence[Api], query: Sequence[Api]
) -> None:
    ended, other = (signed(stack.jwt_secret, sub="somebody") for _ in range(2))
    doors = [
        *(partial(_write, replica) for replica in ingest),
        *(partial(_read, replica) for replica in query),
    ]
    assert [(await ask(ended)).status for ask in doors] == [400, 400, 200, 200]

    assert (await query[1].by(ended).post("/auth/logout", None)).status == 204

    async with asyncio.timeout(REVOCATION_POLL_S + MARGIN_S):
        for ask in doors:
            await eventually(partial(_refusal, ask, ended))
    assert [(await ask(ended)).status for ask in doors] == [401] * 4
    assert [(await ask(other)).status for ask in doors] == [400, 400, 200, 200]


async def _write(replica: Api, token: str) -> Response:
    """Send a request that fails validation only after the token is accepted: it leaves nothing in the log."""
    return await replica.by(token).post("/events", {})


async def _read(replica: Api, token: str) -> Response:
    return await replica.by(token).get("/shipments?limit=1")


async def _refusal(ask: Callable[[str], Awaitable[Response]], token: str) -> Response | None:
    response = await ask(token)
    return response if response.status == 401 else None


async def _faulty_event(nobody: Api, secret: str) -> Response:
    return await _write(nobody, signed(secret, sub="greedy", role="producer"))


async def _no_token(nobody: Api, _: str) -> Response:
    return await nobody.get("/shipments")


@pytest.mark.race
@pytest.mark.parametrize(
    ("ask", "admitted_as", "budget"), [(_faulty_event, 400, "ingest"), (_no_token, 401, "address")]
)
async def test_a_budget_is_spent_at_all_replicas_together(
    nobody: Api,
    stack: RunningStack,
    ask: Callable[[Api, str], Awaitable[Response]],
    admitted_as: int,
    budget: str,
) -> None:
    started = time.monotonic()
    responses = await _all_of(partial(ask, nobody, stack.jwt_secret), GREED)
    took_s = time.monotonic() - started

    by_status = Counter(response.status for response in responses)
    assert set(by_status) == {admitted_as, 429}
    assert BUDGET_PER_S <= by_status[admitted_as] <= BUDGET_PER_S * (1 + took_s) + REPLICAS * LOT
    for response in responses:
        assert response.headers["RateLimit-Policy"] == f'"{budget}";q={BUDGET_PER_S};w=1'
        assert response.headers["RateLimit"].startswith(f'"{budget}";r=')
        if response.status == 429:
            assert_error(response, 429, "RATE_LIMITED")
            assert_retry_after(response)


async def _all_of(ask: Callable[[], Awaitable[Response]], times: int) -> Sequence[Response]:
    """Send so many requests, as fast as a few at once can."""
    share = times // WORKERS

    async def one_after_the_other() -> Sequence[Response]:
        return [await ask() for _ in range(share)]

    return list(chain.from_iterable(await asyncio.gather(*(one_after_the_other() for _ in range(WORKERS)))))


@dataclass(slots=True)
class Stream:
    """Requests one after the other from each of many callers, none repeated."""

    ask: Callable[[int], Awaitable[Response]]
    expected: int
    responses: list[Response] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    is_over: bool = False

    async def run_during(self, fault: Callable[[], Awaitable[None]]) -> None:
        """Keep all callers busy before, during and after the fault."""
        async with asyncio.TaskGroup() as group:
            for worker in range(WORKERS):
                group.create_task(self._keep_asking(worker))
            await self.goes_on()
            await fault()
            await self.goes_on()
            self.is_over = True

    async def goes_on(self) -> None:
        """Wait until there are so many responses more."""
        enough = len(self.responses) + 10 * WORKERS

        async def ask() -> bool | None:
            return len(self.responses) >= enough or None

        await eventually(ask, within_s=RECOVERY_S)

    async def _keep_asking(self, worker: int) -> None:
        while not self.is_over:
            await asyncio.sleep(PAUSE_S)
            try:
                response = await self.ask(worker)
            except aiohttp.ClientError as error:
                self.failures.append(repr(error))
                continue
            if response.status == self.expected:
                self.responses.append(response)
            else:
                assert_error(response, 503, "SERVICE_UNAVAILABLE")
                assert_retry_after(response)
                self.failures.append(response.text)


@pytest.mark.parametrize("index", range(REPLICAS))
async def test_a_killed_ingest_api_costs_only_its_requests_in_flight(
    stack: RunningStack, admin: Api, nobody: Api, index: int
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    numbers = await asyncio.gather(*(admin.created(shipment_body()) for _ in range(WORKERS)))

    async def report(worker: int) -> Response:
        event = event_body(numbers[worker], Status.PICKED_UP)
        return await producer(nobody, stack).post("/events", event)

    async def fault() -> None:
        await asyncio.to_thread(kill, stack, "ingest-api", index=index)

    stream = Stream(report, 202)
    await stream.run_during(fault)

    assert len(stream.failures) <= WORKERS + LATE, stream.failures
    ledger = await assert_matches_log(admin, stack.kafka_brokers, numbers, since=since, within_s=RECOVERY_S)
    seen = dict(chain.from_iterable(life.events.items() for life in ledger.values()))
    acknowledged = [response.body["event_id"] for response in stream.responses]
    assert len(set(acknowledged)) == len(acknowledged)
    tallies = Counter((seen[name].attempts, seen[name].duplicates) for name in acknowledged)
    assert tallies == {(1, 0): len(acknowledged)}


@pytest.mark.parametrize("index", range(REPLICAS))
async def test_a_killed_query_api_costs_no_read(stack: RunningStack, admin: Api, index: int) -> None:
    number = await admin.created(shipment_body())

    async def read(_: int) -> Response:
        return await admin.get(f"/shipments/{number}")

    async def fault() -> None:
        await asyncio.to_thread(kill, stack, "query-api", index=index)

    stream = Stream(read, 200)
    await stream.run_during(fault)

    assert stream.failures == []
    assert {response.body["tracking_number"] for response in stream.responses} == {number}


async def says(nobody: Api, status: int, **checks: str) -> None:
    """Wait until `/health` reports these states; a check that is not named is ok."""
    well = {"database": "ok", "cache": "ok", "event_queue": "ok"}

    async def asked() -> bool:
        response = await nobody.get("/health")
        return (response.status, response.body.get("checks")) == (status, well | checks)

    await wait_for(asked, timeout_s=RECOVERY_S, what=f"{status} {checks}")


async def test_health_is_ok_with_one_ingest_api_and_down_with_none(stack: RunningStack, nobody: Api) -> None:
    await says(nobody, 200)
    with frozen(stack, "ingest-api"):
        await says(nobody, 200)
        with frozen(stack, "ingest-api", indexes=[1]):
            await says(nobody, 503, event_queue="down")
    await says(nobody, 200)


async def test_health_is_down_while_accepted_events_are_not_applied(
    stack: RunningStack, admin: Api, nobody: Api, query: Sequence[Api]
) -> None:
    with frozen(stack, "processor"):
        queued = await admin.post("/shipments", shipment_body(), headers={"Prefer": "wait=0"})
        assert queued.status == 202
        await says(nobody, 503, event_queue="down")
        # It would help nobody to take those out of service who still answer.
        assert {(await replica.get("/health/ready")).status for replica in query} == {200}
    await says(nobody, 200)


async def test_a_redis_that_takes_no_writes_is_degraded(stack: RunningStack, nobody: Api) -> None:
    async with Redis.from_url(f"redis://{stack.redis_addr}") as redis:
        await redis.execute_command("REPLICAOF", "127.0.0.1", "1")  # type: ignore[no-untyped-call]
        try:
            await says(nobody, 200, cache="degraded")
        finally:
            await redis.execute_command("REPLICAOF", "NO", "ONE")  # type: ignore[no-untyped-call]
    await says(nobody, 200)
