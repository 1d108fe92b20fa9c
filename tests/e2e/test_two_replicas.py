"""Two replicas of each API behind the gateway, no session sticking to either: they act as one.

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
from aiohttp.test_utils import unused_port
from redis.asyncio import Redis

from domain.shipments.status import Status
from tests.e2e.checks import assert_error, assert_retry_after
from tests.e2e.ledger import assert_matches_log
from tests.e2e.tokens import signed
from tests.e2e.traffic import event_body, shipment_body
from tests.support.api import PASSWORD, Answer, Api, eventually, open_api
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
    """Take the place of logins, which this module's lockout would disturb."""
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
    """Return how many POSTs of a route a replica has answered so."""
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
    answers = await asyncio.gather(*(_awaited(driver, number, Status.PICKED_UP) for number in numbers * 2))
    assert Counter(answer.status for answer in answers) == {200: len(numbers), 409: len(numbers)}
    answers = await asyncio.gather(*(_awaited(driver, number, Status.DELIVERED) for number in numbers * 2))
    for answer in answers:
        assert_error(answer, 409, "INVALID_TRANSITION")
    for replica in ingest:
        assert await answered(replica, 201, "/shipments")
        assert await answered(replica, 200, "/events")
        assert await answered(replica, 409, "/events")


async def _awaited(driver: Api, number: str, status: Status) -> Answer:
    answer = await driver.post("/events", event_body(number, status), headers={"Prefer": "wait=10"})
    assert answer.headers["Preference-Applied"] == "wait=10"
    return answer


@pytest.mark.race
async def test_failed_logins_are_counted_over_all_replicas(nobody: Api, query: Sequence[Api]) -> None:
    # Asked without the gateway, a replica still trusts one proxy: the header is the caller's address.
    places: Sequence[Callable[[str], Awaitable[Answer]]] = [
        partial(_log_in, nobody),
        *(partial(_log_in, replica, headers={"X-Forwarded-For": "127.0.0.1"}) for replica in query),
    ]
    for number in range(FREE_FAILURES):
        answer = await places[number % len(places)]("wrong")
        assert_error(answer, 401, "INVALID_CREDENTIALS")

    admitted = 0

    async def locked_everywhere() -> Sequence[Answer] | None:
        nonlocal admitted
        answers = await asyncio.gather(*(log_in("wrong") for log_in in places))
        admitted += sum(answer.status == 401 for answer in answers)
        return answers if all(answer.status == 429 for answer in answers) else None

    # A slow machine may let the first lock, of a second, pass; the next is twice as long.
    for answer in await eventually(locked_everywhere):
        assert_error(answer, 429, "TOO_MANY_ATTEMPTS")
        assert_retry_after(answer)
    assert admitted < FREE_FAILURES  # so many more would each replica admit that counted alone

    async def reset_by_a_success() -> bool | None:
        return True if (await places[1](PASSWORD)).status == 200 else None

    await eventually(reset_by_a_success, within_s=RECOVERY_S)
    assert [(await log_in(PASSWORD)).status for log_in in places] == [200] * len(places)


async def _log_in(replica: Api, password: str, headers: Mapping[str, str] | None = None) -> Answer:
    credentials = {"username": "client_user_002", "password": password}
    return await replica.post("/auth/login", credentials, headers=headers)


async def test_who_logs_out_at_one_replica_is_out_at_all(
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


async def _write(replica: Api, token: str) -> Answer:
    """Send what is refused for its form only after the token is judged: it leaves nothing in the log."""
    return await replica.by(token).post("/events", {})


async def _read(replica: Api, token: str) -> Answer:
    return await replica.by(token).get("/shipments?limit=1")


async def _refusal(ask: Callable[[str], Awaitable[Answer]], token: str) -> Answer | None:
    answer = await ask(token)
    return answer if answer.status == 401 else None


async def _faulty_event(nobody: Api, secret: str) -> Answer:
    return await _write(nobody, signed(secret, sub="greedy", role="producer"))


async def _no_token(nobody: Api, _: str) -> Answer:
    return await nobody.get("/shipments")


@pytest.mark.race
@pytest.mark.parametrize(
    ("ask", "admitted_as", "budget"), [(_faulty_event, 400, "ingest"), (_no_token, 401, "address")]
)
async def test_a_budget_is_spent_at_all_replicas_together(
    nobody: Api,
    stack: RunningStack,
    ask: Callable[[Api, str], Awaitable[Answer]],
    admitted_as: int,
    budget: str,
) -> None:
    started = time.monotonic()
    answers = await _all_of(partial(ask, nobody, stack.jwt_secret), GREED)
    took_s = time.monotonic() - started

    by_status = Counter(answer.status for answer in answers)
    assert set(by_status) == {admitted_as, 429}
    assert BUDGET_PER_S <= by_status[admitted_as] <= BUDGET_PER_S * (1 + took_s) + REPLICAS * LOT
    for answer in answers:
        assert answer.headers["RateLimit-Policy"] == f'"{budget}";q={BUDGET_PER_S};w=1'
        assert answer.headers["RateLimit"].startswith(f'"{budget}";r=')
        if answer.status == 429:
            assert_error(answer, 429, "RATE_LIMITED")
            assert_retry_after(answer)


async def _all_of(ask: Callable[[], Awaitable[Answer]], times: int) -> Sequence[Answer]:
    """Ask so often, as fast as a few at once can."""
    share = times // WORKERS

    async def one_after_the_other() -> Sequence[Answer]:
        return [await ask() for _ in range(share)]

    return list(chain.from_iterable(await asyncio.gather(*(one_after_the_other() for _ in range(WORKERS)))))


@dataclass(slots=True)
class Stream:
    """Requests one after the other from each of many callers, none repeated."""

    ask: Callable[[int], Awaitable[Answer]]
    expected: int
    answers: list[Answer] = field(default_factory=list)
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
        """Wait until there are so many answers more."""
        enough = len(self.answers) + 10 * WORKERS

        async def ask() -> bool | None:
            return len(self.answers) >= enough or None

        await eventually(ask, within_s=RECOVERY_S)

    async def _keep_asking(self, worker: int) -> None:
        while not self.is_over:
            try:
                answer = await self.ask(worker)
            except aiohttp.ClientError as error:
                self.failures.append(repr(error))
                continue
            if answer.status == self.expected:
                self.answers.append(answer)
            else:
                assert_error(answer, 503, "SERVICE_UNAVAILABLE")
                assert_retry_after(answer)
                self.failures.append(answer.text)


@pytest.mark.parametrize("index", range(REPLICAS))
async def test_an_ingest_api_that_is_killed_costs_what_it_had_in_hand(
    stack: RunningStack, admin: Api, nobody: Api, index: int
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    numbers = await asyncio.gather(*(admin.created(shipment_body()) for _ in range(WORKERS)))

    async def report(worker: int) -> Answer:
        event = event_body(numbers[worker], Status.PICKED_UP)
        return await producer(nobody, stack).post("/events", event)

    async def fault() -> None:
        await asyncio.to_thread(kill, stack, "ingest-api", index=index)

    stream = Stream(report, 202)
    await stream.run_during(fault)

    assert len(stream.failures) <= WORKERS + LATE, stream.failures
    ledger = await assert_matches_log(admin, stack.kafka_brokers, numbers, since=since, within_s=RECOVERY_S)
    seen = dict(chain.from_iterable(life.events.items() for life in ledger.values()))
    acknowledged = [answer.body["event_id"] for answer in stream.answers]
    assert len(set(acknowledged)) == len(acknowledged)
    tallies = Counter((seen[name].attempts, seen[name].duplicates) for name in acknowledged)
    assert tallies == {(1, 0): len(acknowledged)}


@pytest.mark.parametrize("index", range(REPLICAS))
async def test_a_query_api_that_is_killed_costs_no_read(stack: RunningStack, admin: Api, index: int) -> None:
    number = await admin.created(shipment_body())

    async def read(_: int) -> Answer:
        return await admin.get(f"/shipments/{number}")

    async def fault() -> None:
        await asyncio.to_thread(kill, stack, "query-api", index=index)

    stream = Stream(read, 200)
    await stream.run_during(fault)

    assert stream.failures == []
    assert {answer.body["tracking_number"] for answer in stream.answers} == {number}


async def says(nobody: Api, status: int, **checks: str) -> None:
    """Wait until `/health` answers so; what is not named is ok."""
    well = {"database": "ok", "cache": "ok", "event_queue": "ok"}

    async def asked() -> bool:
        answer = await nobody.get("/health")
        return (answer.status, answer.body.get("checks")) == (status, well | checks)

    await wait_for(asked, timeout_s=RECOVERY_S, what=f"{status} {checks}")


async def test_health_is_ok_with_one_ingest_api_and_down_with_none(stack: RunningStack, nobody: Api) -> None:
    await says(nobody, 200)
    with frozen(stack, "ingest-api"):
        await says(nobody, 200)
        with frozen(stack, "ingest-api", indexes=[1]):
            await says(nobody, 503, event_queue="down")
    await says(nobody, 200)


async def test_health_is_down_while_what_is_accepted_is_not_applied(
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
