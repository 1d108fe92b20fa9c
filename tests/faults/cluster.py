"""A stack whose Kafka is three brokers: their leaders, traffic while they are broken, and the verdict."""

import asyncio
import os
import signal
import time
import uuid
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, TypeVar

import psutil
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from devstack.client import RunningStack, start_stack
from domain.shipments.event_identity import creation_event_id
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber
from messaging.settings import KafkaSettings
from messaging.topics import Topics, declaration
from storage.mongo.database import open_database
from storage.settings import MongoSettings
from tests.e2e.checks import assert_error, assert_retry_after
from tests.e2e.traffic import event_body, shipment_body
from tests.faults.corrections import id_of
from tests.faults.ledger import Ended, Ledger
from tests.faults.load import USER, Load, Pace, ended_of
from tests.faults.proxied_stack import DATABASE, GROUP, several_brokers
from tests.faults.watch import Watch, sending
from tests.support.api import Api, eventually, open_api
from tests.support.history import observe, violations
from tests.support.ports import unused_port
from tests.support.topics import admin_of, is_caught_up
from tests.support.waiting import wait_for

T = TypeVar("T")

BROKERS: Final = range(3)
EVENTS: Final = Topics().events
RECOVERED_WITHIN_S: Final = 120.0
PUBLISH_DEADLINE_S: Final = 5.0
MARGIN_S: Final = 3.0
_RATE: Final = 100.0
_ANSWER_WITHIN_S: Final = 3.0
_SERVICES: Final = ("ingest-api", "processor", "query-api")


@dataclass(slots=True)
class Cluster:
    """The stack, and the ledger of all that was sent to it, by any test."""

    stack: RunningStack
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def kafka(self) -> KafkaSettings:
        """All brokers."""
        return KafkaSettings(KAFKA_BROKERS=self.stack.kafka_brokers)  # type: ignore[call-arg]

    def services(self) -> Mapping[str, list[int]]:
        """Return the processes of the services; they change if one of them is restarted."""
        members = self.stack.members()
        return {group: [member.pid for member in members[group]] for group in _SERVICES}

    async def leaders(self) -> Mapping[int, int]:
        """Return the leader of each partition of the log, by its place in `stack.json`."""
        [topic] = await self._topics([EVENTS])
        return {each["partition"]: each["leader"] - 1 for each in topic["partitions"]}

    async def out_of_sync(self, broker: int) -> None:
        """Wait until a broker is in sync for no partition of the log."""

        async def gone() -> bool:
            [topic] = await self._topics([EVENTS])
            return not any(broker + 1 in each["isr"] for each in topic["partitions"])

        await wait_for(gone, timeout_s=RECOVERED_WITHIN_S, what="a broker out of sync")

    async def coordinator(self) -> int:
        """Return the broker that coordinates the processors' group, by its place in `stack.json`."""
        return int(await self._ask(lambda admin: admin.find_coordinator(GROUP))) - 1

    async def in_sync(self) -> None:
        """Wait until every broker is in sync for all its partitions."""

        async def complete() -> bool:
            topics = await self._topics([*Topics().all(), "__consumer_offsets"])
            return all(len(each["isr"]) == len(BROKERS) for topic in topics for each in topic["partitions"])

        await wait_for(complete, timeout_s=RECOVERED_WITHIN_S, what="all replicas in sync")

    def log_of(self, name: str) -> str:
        """Return the log of a child."""
        return (self.stack.home.logs / f"{name}.log").read_text()

    def resident(self, group: str) -> int:
        """Return the resident memory of a service, in bytes."""
        return int(psutil.Process(self.stack.member(group).pid).memory_info().rss)

    async def declare(self, **other: str) -> None:
        """Apply the declared settings to the log's topic, with `other` in their place, `_` for each dot."""
        configs = declaration(EVENTS, self.kafka.model_copy(update={"min_insync_replicas": 2})).topic_configs
        changed = {name.replace("_", "."): value for name, value in other.items()}
        resource = ConfigResource(ConfigResourceType.TOPIC, EVENTS, configs={**configs, **changed})
        await self._ask(lambda admin: admin.alter_configs([resource]))

    async def violations(self) -> list[str]:
        """Wait until the whole log is processed, and return every violation."""
        await wait_for(
            lambda: is_caught_up(self.kafka, GROUP, EVENTS),
            timeout_s=RECOVERED_WITHIN_S,
            what="the end of the log",
        )
        settings = MongoSettings(MONGO_URI=self.stack.mongo_uri, MONGO_DB=DATABASE)  # type: ignore[call-arg]
        async with open_database(settings) as database:
            observed = await observe(self.kafka, database, published=True)
        return [*self.ledger.faults, *violations(observed, self.ledger.sent())]

    async def _topics(self, names: list[str]) -> list[dict[str, Any]]:
        return list(await self._ask(lambda admin: admin.describe_topics(names)))

    async def _ask(self, work: Callable[[AIOKafkaAdminClient], Awaitable[T]]) -> T:
        """Ask until a broker responds: a frozen one takes the request, and then the timeout."""

        async def attempt() -> T | None:
            try:
                async with asyncio.timeout(_ANSWER_WITHIN_S), admin_of(self.kafka) as admin:
                    return await work(admin)
            except (KafkaError, TimeoutError):
                return None

        return await eventually(attempt, within_s=RECOVERED_WITHIN_S)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Traffic sent while the test breaks things."""

    admin: Api
    ledger: Ledger
    watch: Watch

    async def registered(self, count: int) -> list[str]:
        """Register shipments, and return their numbers."""
        return list(await asyncio.gather(*(self._registered() for _ in range(count))))

    async def assert_refused(self, numbers: Sequence[str]) -> None:
        """Report an event of each shipment, all in one batch: 503 in time, never 202."""
        assert not await self.is_accepted(numbers)

    async def is_accepted(self, numbers: Sequence[str], *, notes: str | None = None) -> bool:
        """Report an event of each shipment, all in one batch: 202, or 503 in time."""
        events = [event_body(number, Status.PICKED_UP, notes=notes) for number in numbers]
        started = time.monotonic()
        response = await self.admin.post("/events/batch", {"events": events})
        took_s = time.monotonic() - started
        self.ledger.record("asked", ended_of(response), map(id_of, events), response=str(response.status))
        assert took_s < PUBLISH_DEADLINE_S + MARGIN_S
        if response.status == 202:
            return True
        assert_error(response, 503, "SERVICE_UNAVAILABLE")
        assert_retry_after(response)
        return False

    async def assert_refused_for(self, seconds: float, numbers: Sequence[str], *, per_s: float) -> None:
        """Report so many events each second, however long the responses take; see `assert_refused`."""
        pace = Pace(per_s)
        until = time.monotonic() + seconds
        async with asyncio.TaskGroup() as calls:
            while time.monotonic() < until:
                await pace.take(len(numbers))
                calls.create_task(self.assert_refused(numbers))

    async def health(self) -> tuple[int, str]:
        """Return the status of `/health`, and its check of the event path."""
        response = await self.admin.get("/health")
        return response.status, response.body["checks"]["event_queue"]

    async def _registered(self) -> str:
        body, key = shipment_body(), uuid.uuid4().hex
        response = await self.admin.create(body, key=key)
        assert response.status == 201, response.text
        number = str(response.body["tracking_number"])
        self.ledger.record(
            "registered", Ended.OK, [creation_event_id(TrackingNumber(number))], response="201"
        )
        return number

    async def recovered(self, since: float) -> float:
        """Wait until shipments can be registered again, each begun after `since`; return how long it took."""
        at = await self.watch.recovered(since)
        assert at is not None, "not recovered"
        return at - since


@contextmanager
def three_brokers(home: Path) -> Iterator[Cluster]:
    """Start the stack in `home`, and stop it at the end; from the main thread."""
    env = {
        **os.environ,
        "ENV": "development",
        **several_brokers(len(BROKERS)),
        # Floods are of a few shipments: the brokers, and not a quota, are to refuse them.
        "LIMIT_SHIPMENT_PER_HOUR": "1000000",
    }
    with start_stack(home, env=env, port=unused_port()) as stack:
        yield Cluster(stack)


@contextmanager
def three_members(home: Path) -> Iterator[Cluster]:
    """Start a stack in `home` with one broker, and MongoDB as three members; stop it at the end."""
    env = {**os.environ, "ENV": "development", "WAYBILL_MONGO_MEMBERS": "3"}
    with start_stack(home, env=env, port=unused_port()) as stack:
        yield Cluster(stack)


@contextmanager
def redis_sentinels(home: Path) -> Iterator[Cluster]:
    """Start a stack in `home` with one broker, and Redis behind three Sentinels; stop it at the end."""
    env = {**os.environ, "ENV": "development", "WAYBILL_REDIS_SENTINELS": "3"}
    with start_stack(home, env=env, port=unused_port()) as stack:
        yield Cluster(stack)


@asynccontextmanager
async def traffic(cluster: Cluster, name: str) -> AsyncIterator[Traffic]:
    """Send while the context lasts, under a `name` that no other test has; open calls are finished."""
    async with open_api(cluster.stack.gateway_url) as nobody:
        admin = nobody.by(await nobody.log_in(USER))
        load = Load(admin, cluster.ledger, Pace(_RATE), name, Random(name))  # noqa: S311  # repeatable
        async with sending(load) as watch:
            sent = Traffic(admin, cluster.ledger, watch)
            await sent.recovered(time.monotonic())
            yield sent


async def kill_all(cluster: Cluster, brokers: Iterable[int]) -> None:
    """Kill -9 brokers at the same moment, and wait for their replacements."""
    stack = cluster.stack
    killed = {index: stack.signal("kafka", signal.SIGKILL, index=index) for index in brokers}
    for index, member in killed.items():
        await asyncio.to_thread(
            stack.wait_replaced, "kafka", member, index=index, timeout_s=RECOVERED_WITHIN_S
        )
