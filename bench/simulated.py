"""The real processor on a store that only takes time; `bench.scaling` runs it as `python -m bench.simulated`.

The consumer loop, the worker of each partition, the codec, the rules and the feed of the derived topics are
those of the product, wired by `processor.app.build_runtime`. MongoDB and Redis are replaced by memory. A
batch takes as long as the environment says, one batch of a process at a time: as if the process had a core of
its own, and that a slow one, so that twelve of them fit on two.
"""

import asyncio
import os
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TextIO

from domain.ports.core import EndOffset, Fence, IsAnother, Reply
from domain.processing.batch import ConsumedCommand, EventRecord, Outcome, Plan
from domain.processing.dead_letter import DeadLetterEntry, Replay
from domain.processing.halts import Attempt, Halt, Quarantined, QuarantinePut
from domain.shipments.event_identity import EventId, creation_event_id
from domain.shipments.shipment import Shipment
from domain.shipments.status import Status
from domain.shipments.tracking_number import TrackingNumber
from httpkit.middleware.http_metrics import new_registry
from messaging.dead_letters.records import KafkaDeadLetters
from messaging.producer.change_feed import KafkaChangeFeed
from messaging.producer.idempotent_producer import ResilientProducer
from messaging.topics import Topics
from processor.app import build_runtime
from processor.metrics import ProcessorMetrics
from processor.settings import Settings
from processor.use_cases.quarantine import Quarantine
from processor.use_cases.shipment_partition import Ports
from servicekit.clock import SystemClock
from servicekit.logs import configure_logs
from servicekit.process import run_main, stop_signals
from servicekit.settings import load_settings


class SimulatedStore:
    """`ShipmentStore` in memory; every shipment exists, as if created at the first lookup."""

    def __init__(self, journal: TextIO, *, batch_s: float, event_s: float) -> None:
        self._journal = journal
        self._batch_s = batch_s
        self._event_s = event_s
        self._core = asyncio.Lock()
        self._shipments: dict[TrackingNumber, Shipment] = {}
        self._events: dict[EventId, EventRecord] = {}

    async def acquire(
        self,
        partition: str,
        *,
        owner: str,
        end_offset: EndOffset,
        is_another: IsAnother | None = None,
    ) -> Fence:
        """Take the partition over."""
        del owner, is_another
        await end_offset()
        self._note("opened", partition, 0)
        return Fence(partition, 1, 0)

    async def refresh(self, fence: Fence) -> Fence:
        """Do nothing: nobody else writes."""
        return fence

    async def load(self, tracking_numbers: Collection[TrackingNumber]) -> dict[TrackingNumber, Shipment]:
        """Return the shipments."""
        return {number: self._shipments.get(number) or _created(number) for number in tracking_numbers}

    async def find_events(self, event_ids: Collection[EventId]) -> dict[EventId, EventRecord | None]:
        """Look events up among those applied in this process."""
        return {event_id: self._events.get(event_id) for event_id in event_ids}

    async def commit(self, fence: Fence, plan: Plan, *, recorded_at: datetime) -> Fence:
        """Wait for the configured latency, and remember the states."""
        del recorded_at
        async with self._core:
            await asyncio.sleep(self._batch_s + self._event_s * len(plan.verdicts))
        for change in plan.shipments.values():
            self._shipments[change.after.tracking_number] = change.after
        for event in plan.events:
            if event.record is not None and event.record.outcome is Outcome.APPLIED:
                self._events[event.event_id] = event.record
        self._note("applied", fence.partition, len(plan.verdicts))
        return replace(fence, next_offset=plan.next_offset)

    async def dead_letter(
        self,
        fence: Fence,
        consumed: ConsumedCommand | None,
        *,
        next_offset: int,
        reason: str,
        recorded_at: datetime,
    ) -> Fence:
        """Do nothing: no record is dead-lettered here."""
        raise NotImplementedError

    def _note(self, what: str, partition: str, events: int) -> None:
        self._journal.write(f"{time.monotonic():.6f} {what} {partition.rpartition('/')[2]} {events}\n")


class SimulatedHints:
    """`DuplicateFilter` that remembers everything, and `Replies` that nobody waits for."""

    def __init__(self) -> None:
        self._members: set[str] = set()

    async def seen(self, partition: str, members: Sequence[str]) -> Sequence[bool]:
        """Return which members were marked."""
        del partition
        return [member in self._members for member in members]

    async def mark(self, partition: str, members: Sequence[str]) -> None:
        """Remember members."""
        del partition
        self._members.update(members)

    async def send(self, replies: Mapping[str, Reply]) -> None:
        """Do nothing: nobody waits."""


class SimulatedPartitions:
    """`PartitionStateStore`, `QuarantineStore` and `DeadLetterIndex` without operators.

    Methods that raise are called only after a failure: then the run is void, and must end.
    """

    async def note_halt(self, fence: Fence, halt: Halt | None) -> None:
        """Do nothing: nobody reads it."""

    async def give_up(self, fence: Fence, below: int) -> Fence:
        """Do nothing: the log has lost nothing."""
        raise NotImplementedError

    async def note_attempt(self, fence: Fence, attempt: Attempt | None) -> None:
        """Do nothing: nobody reads it."""

    async def resumption(self, partition: str, halt: Halt) -> None:
        """Return no request to resume."""

    async def put(self, entry: Quarantined, *, most: int, standing: bool | None = None) -> QuarantinePut:
        """Do nothing: nothing is quarantined."""
        raise NotImplementedError

    async def remove(self, tracking_number: TrackingNumber, *, by: str, at: datetime) -> bool:
        """Do nothing: nothing is quarantined."""
        raise NotImplementedError

    async def entries(self) -> list[Quarantined]:
        """Return an empty quarantine."""
        return []

    async def record(self, entry: DeadLetterEntry) -> None:
        """Do nothing: no record is dead-lettered here."""
        raise NotImplementedError

    async def note_replay(self, replay: Replay) -> None:
        """Do nothing: nothing is replayed."""
        raise NotImplementedError


def simulated_ports(store: SimulatedStore, producer: ResilientProducer, topics: Topics) -> Ports:
    """Return ports of which only those to Kafka are real."""
    hints, partitions = SimulatedHints(), SimulatedPartitions()
    return Ports(
        store=store,
        partition_state=partitions,
        quarantine=Quarantine(partitions),
        duplicates=hints,
        feed=KafkaChangeFeed(producer, topics),
        replies=hints,
        dead_letters=KafkaDeadLetters(producer, topics),
        index=partitions,
        clock=SystemClock(),
        metrics=ProcessorMetrics(new_registry("processor")),
    )


def _created(number: TrackingNumber) -> Shipment:
    return Shipment(number, "client_001", Status.CREATED, 1, (creation_event_id(number),))


async def run(settings: Settings, journal: TextIO) -> None:
    """Apply events until SIGTERM."""
    store = SimulatedStore(
        journal,
        batch_s=float(os.environ["SIMULATED_BATCH_S"]),
        event_s=float(os.environ["SIMULATED_EVENT_S"]),
    )
    producer = ResilientProducer(settings.kafka)
    async with stop_signals() as stop, producer.running():
        runtime = build_runtime(
            settings, simulated_ports(store, producer, Topics(settings.kafka.topic_prefix))
        )
        consuming = asyncio.create_task(runtime.run())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((consuming, stopping), return_when=asyncio.FIRST_COMPLETED)
        runtime.stop()
        await consuming
        stopping.cancel()
        with suppress(asyncio.CancelledError):
            await stopping


def main() -> None:
    """Read the environment, then apply events and keep a journal."""
    settings = load_settings(Settings)
    configure_logs(settings.service, service="simulated")
    with Path(os.environ["SIMULATED_JOURNAL"]).open("w", buffering=1) as journal:
        run_main(lambda: run(settings, journal))


if __name__ == "__main__":
    main()
