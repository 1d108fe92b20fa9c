"""The ceiling: the exact commands that the processor sends to MongoDB, prepared in advance, and nothing else.

No Kafka, no HTTP, no rules: as fast as this MongoDB takes these documents, into these collections with what
they hold by then, in transactions of this size, four at once. What the whole of Waybill reaches is stated as
a share of it, of the same run.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import uvloop
from bench.load import Load, commands_of, cpu_seconds, creation
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.read_concern import ReadConcern

from devstack.client import RunningStack
from domain.ports.core import Fence
from domain.processing.batch import ConsumedCommand, EventRecord, Plan, by_shipment
from domain.processing.judging import judge
from domain.shipments.commands import Command
from domain.shipments.event_identity import EventId
from domain.shipments.shipment import Shipment
from domain.shipments.tracking_number import TrackingNumber
from messaging import codec
from messaging.log.partitioning import partition_of
from storage.mongo.database import MAJORITY, Database, open_database
from storage.mongo.processing.transaction_writer import BatchWrite, TransactionWriter
from storage.settings import MongoSettings

PARTITIONS: Final = 12
AT_ONCE: Final = 4
FENCES: Final = "bench_fences"
"""Separate from the processor's, which count its progress."""

Document = dict[str, Any]
Transaction = Sequence[Document]
Shipments = dict[TrackingNumber, Shipment]
Known = dict[EventId, EventRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """Measured figures: events a second, and CPU seconds by process."""

    events_s: float
    cpu_s: dict[str, float]


def measure(stack: RunningStack, load: Load, *, batch: int) -> Ceiling:
    """Write the load as fast as MongoDB takes it, in a loop as fast as that of the services."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure(stack, load, batch))


async def _measure(stack: RunningStack, load: Load, batch: int) -> Ceiling:
    settings = MongoSettings(MONGO_URI=stack.mongo_uri)  # type: ignore[call-arg]  # alias
    async with open_database(settings) as database:
        lanes = [Lane(database, number) for number in range(PARTITIONS)]
        for created in map(creation, load.numbers):
            lanes[_partition(created)].expect(created)
        await _prepare(lanes, batch)
        await _run(lanes)
        for command in commands_of(load):
            lanes[_partition(command)].expect(command)
        return await _timed(stack, lanes, load.events, batch)


async def _timed(stack: RunningStack, lanes: Sequence["Lane"], events: int, batch: int) -> Ceiling:
    await _prepare(lanes, batch)
    before = cpu_seconds(stack)
    started = time.perf_counter()
    await _run(lanes)
    seconds = time.perf_counter() - started
    used = {name: now - before[name] for name, now in cpu_seconds(stack).items()}
    return Ceiling(events_s=events / seconds, cpu_s=used)


async def _prepare(lanes: Sequence["Lane"], batch: int) -> None:
    for lane in lanes:
        await lane.prepare(batch)


async def _run(lanes: Sequence["Lane"]) -> None:
    slots = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(*(lane.write(slots) for lane in lanes))


class Lane:
    """One partition: its transactions, prepared by the processor's own rules and store, then sent."""

    def __init__(self, database: Database, number: int) -> None:
        self._database = database
        self._recorder = _Recorder(database)
        self._fence = Fence(f"bench/{number}", 1, 0)
        self._commands: list[Command] = []
        self._shipments: Shipments = {}
        self._known: Known = {}
        self._transactions: list[Transaction] = []
        self._written = 0

    def expect(self, command: Command) -> None:
        """Accept a command, in log order."""
        self._commands.append(command)

    async def prepare(self, batch: int) -> None:
        """Prepare transactions from the accepted commands."""
        for at in range(0, len(self._commands), batch):
            plan = self._plan(self._commands[at : at + batch])
            for verdict in plan.verdicts:
                if verdict.event is not None:
                    self._known[verdict.event.event_id] = verdict.event
            self._shipments |= {number: change.after for number, change in plan.shipments.items()}
            self._transactions.append(await self._recorder.commands_of(self._fence, plan))
        self._commands.clear()

    async def write(self, slots: asyncio.Semaphore) -> None:
        """Send the transactions, one after the other, each in a slot."""
        fences = self._database[FENCES]
        fence = {"_id": self._fence.partition}
        await fences.update_one(fence, {"$set": {"at": self._written}}, upsert=True)
        session = self._database.client.start_session()
        for transaction in self._transactions:
            async with slots, await session.start_transaction(ReadConcern("snapshot"), MAJORITY):
                held = {**fence, "at": self._written}
                self._written += 1
                await fences.update_one(held, {"$set": {"at": self._written}}, session=session)
                for command in transaction:
                    await self._database.command(command, session=session)
        self._transactions.clear()

    def _plan(self, commands: Sequence[Command]) -> Plan:
        consumed = [
            ConsumedCommand(command=command, offset=offset, fingerprint=_fingerprint(command))
            for offset, command in enumerate(commands)
        ]
        plan = Plan(len(consumed))
        for number, group in by_shipment(consumed).items():
            known = {each.command.event_id: self._known.get(each.command.event_id) for each in group}
            plan.add(number, judge(group, self._shipments.get(number), known))
        return plan


class _Recorder(TransactionWriter):
    """Store wrapper that records the commands the processor would send."""

    async def commands_of(self, fence: Fence, plan: Plan) -> Transaction:
        self._kept: list[Document] = []
        writes = [BatchWrite(fence, plan, datetime.now(UTC))]
        nobody: Any = None
        await self._write_events(writes, nobody)
        await self._write_shipments(writes, nobody)
        return self._kept

    async def _write(self, command: Document, _session: AsyncClientSession) -> Document:
        self._kept.append(command)
        return {"n": len(command.get("updates", []))}


def _fingerprint(command: Command) -> str:
    return codec.decode(codec.encode(command)).fingerprint


def _partition(command: Command) -> int:
    return partition_of(command.tracking_number.encode(), PARTITIONS)
