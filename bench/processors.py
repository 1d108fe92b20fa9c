"""The real processor with some of its ports replaced: `python -m bench.processors NAME`.

- `without_change_feed`, for `bench.peers`: the peers publish nothing of what they have applied. This one does
  not either, and is the product in all else.
- `simulated`, for `bench.scaling`: the consumer loop, the worker of each partition, the codec, the rules and
  the feed of the derived topics are the product's. MongoDB and Redis are the fakes of the contract tests. A
  batch takes as long as the environment says, one batch of a process at a time: as if the process had a core
  of its own, and that a slow one, so that twelve of them fit on two.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final, TextIO

from bench.load import creation

from domain.ports.core import EndOffset, Fence, IsAnother
from domain.processing.batch import Plan, Verdict
from domain.shipments.commands import Command
from domain.shipments.shipment import Shipment
from domain.shipments.tracking_number import TrackingNumber
from httpkit.middleware.http_metrics import new_registry
from messaging.dead_letters.records import KafkaDeadLetters
from messaging.log.generations import first_generation
from messaging.producer.change_feed import KafkaChangeFeed
from messaging.producer.idempotent_producer import ResilientProducer
from messaging.topics import Topics
from processor.app import build_runtime, open_ports
from processor.metrics import ProcessorMetrics
from processor.settings import Settings
from processor.use_cases.ports import Ports
from processor.use_cases.quarantine import Quarantine
from servicekit.clock import SystemClock
from servicekit.logs import configure_logs
from servicekit.process import run_main, stop_signals
from servicekit.settings import load_settings
from tests.support.fakes import (
    InMemoryDeadLetterIndex,
    InMemoryDuplicateFilter,
    InMemoryPartitionStateStore,
    InMemoryQuarantineStore,
    InMemoryReplies,
    InMemoryShipmentStore,
)
from tests.support.fakes.documents import history_entry, shipment_document


class NoChangeFeed:
    """`ChangeFeed` that publishes nothing."""

    async def publish(self, verdicts: Sequence[Verdict]) -> None:
        """Publish nothing."""


class SlowStore(InMemoryShipmentStore):
    """Store whose batches take time; every shipment exists, as if created at the first lookup."""

    def __init__(self, journal: TextIO, *, batch_s: float, event_s: float) -> None:
        super().__init__()
        self._journal = journal
        self._batch_s = batch_s
        self._event_s = event_s
        self._core = asyncio.Lock()

    async def acquire(
        self, partition: str, *, owner: str, end_offset: EndOffset, is_another: IsAnother | None = None
    ) -> Fence:
        """Take the partition over, wherever its last owner had come: that one had a memory of its own."""
        del owner, is_another
        await end_offset()
        self._note("opened", partition, 0)
        fence = self.documents.fences[partition] = Fence(partition, 1, 0)
        return fence

    async def load(self, tracking_numbers: Collection[TrackingNumber]) -> dict[TrackingNumber, Shipment]:
        """Return the shipments."""
        for number in tracking_numbers:
            if number not in self.documents.shipments:
                self.documents.shipments[number] = _created(creation(number))
        return await super().load(tracking_numbers)

    async def commit(self, plans: Sequence[tuple[Fence, Plan]], *, recorded_at: datetime) -> list[Fence]:
        """Wait for the configured latency, and remember the states."""
        async with self._core:
            events = sum(len(plan.verdicts) for _, plan in plans)
            await asyncio.sleep(self._batch_s + self._event_s * events)
        moved = await super().commit(plans, recorded_at=recorded_at)
        for fence, plan in plans:
            self._note("applied", fence.partition, len(plan.verdicts))
        return moved

    def _note(self, what: str, partition: str, events: int) -> None:
        self._journal.write(f"{time.monotonic():.6f} {what} {partition.rpartition('/')[2]} {events}\n")


def _created(command: Command) -> dict[str, object]:
    return shipment_document(command) | {
        "status_history": [history_entry(command, command.received_at)],
        "current_status": "created",
        "version": 1,
    }


OpenPorts = Callable[[Settings, ResilientProducer], AbstractAsyncContextManager[Ports]]


@asynccontextmanager
async def without_change_feed(settings: Settings, producer: ResilientProducer) -> AsyncIterator[Ports]:
    """Open the product's ports, but for the feed."""
    async with open_ports(settings, producer, new_registry("processor")) as ports:
        yield replace(ports, feed=NoChangeFeed())


@asynccontextmanager
async def simulated(settings: Settings, producer: ResilientProducer) -> AsyncIterator[Ports]:
    """Open ports of which only those to Kafka are real, and keep a journal."""
    topics = Topics(settings.kafka.topic_prefix)
    with _open_journal() as journal:
        store = SlowStore(
            journal,
            batch_s=float(os.environ["SIMULATED_BATCH_S"]),
            event_s=float(os.environ["SIMULATED_EVENT_S"]),
        )
        yield Ports(
            store=store,
            partition_state=InMemoryPartitionStateStore(store.documents),
            quarantine=Quarantine(InMemoryQuarantineStore(store.documents)),
            duplicates=InMemoryDuplicateFilter(),
            feed=KafkaChangeFeed(producer, topics),
            replies=InMemoryReplies(),
            dead_letters=KafkaDeadLetters(producer, topics),
            index=InMemoryDeadLetterIndex(store.documents),
            clock=SystemClock(),
            metrics=ProcessorMetrics(new_registry("processor")),
        )


def _open_journal() -> TextIO:
    return Path(os.environ["SIMULATED_JOURNAL"]).open("w", buffering=1)


PROCESSORS: Final[dict[str, OpenPorts]] = {
    "simulated": simulated,
    "without_change_feed": without_change_feed,
}


async def run(settings: Settings, opened: OpenPorts) -> None:
    """Apply events until SIGTERM."""
    producer = ResilientProducer(settings.kafka)
    async with stop_signals() as stop, producer.running(), opened(settings, producer) as ports:
        runtime = build_runtime(settings, ports, first_generation(settings.kafka))
        consuming = asyncio.create_task(runtime.run())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((consuming, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        runtime.stop()
        await consuming


def main() -> None:
    """Read the environment, then apply events."""
    name = sys.argv[1]
    settings = load_settings(Settings)
    configure_logs(settings.service, service=name)
    run_main(lambda: run(settings, PROCESSORS[name]))


if __name__ == "__main__":
    main()
