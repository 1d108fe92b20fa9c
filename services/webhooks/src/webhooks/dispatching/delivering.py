"""Everything that sends: lanes, sweeper, replays and gauges, as one worker of the process."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from domain.ports.core import Clock
from storage.mongo.database import Database
from webhooks.dispatching.attempts import AttemptParts
from webhooks.dispatching.dispatcher import Dispatcher
from webhooks.dispatching.gauges import Gauges
from webhooks.dispatching.lane import LaneParts
from webhooks.dispatching.load import Load
from webhooks.dispatching.replay_runner import ReplayRunner
from webhooks.dispatching.result_writer import ResultWriter
from webhooks.dispatching.sweeper import Sweeper
from webhooks.metrics import WebhookMetrics
from webhooks.sealing import SecretSealer
from webhooks.sending.sender import Sender
from webhooks.sending.timing import TIMING, Timing
from webhooks.stores.due import MongoDueDeliveries
from webhooks.stores.leases import MongoLeases
from webhooks.stores.orphans import MongoOrphans
from webhooks.stores.overview import MongoOverview
from webhooks.stores.replay_jobs import MongoReplayJobs

MOST_PER_ENDPOINT: Final = 8
_SHARE: Final = 4
"""An endpoint never has more than this part of the slots."""


def _at_random() -> float:
    return random.uniform(-1, 1)  # noqa: S311  # jitter


class _Worker(Protocol):
    async def run(self) -> None: ...

    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveringParts:
    """Parts of `Delivering`.

    Attributes:
        sender: stays open while deliveries are sent.
        owner: name of this replica, for operators.
        slots: most attempts in flight.
        timing: the same in all replicas.
        spread: where in the jitter a next attempt lies, from -1 to 1.
    """

    database: Database
    sender: Sender
    sealer: SecretSealer
    metrics: WebhookMetrics
    clock: Clock
    owner: str
    slots: int
    timing: Timing = TIMING
    spread: Callable[[], float] = _at_random


class Delivering:
    """Sends what is due, until stopped; any number of replicas may do so on the same database."""

    def __init__(self, parts: DeliveringParts) -> None:
        database, metrics, clock = parts.database, parts.metrics, parts.clock
        leases = MongoLeases(database, owner=parts.owner, lease_s=parts.timing.lease_s)
        deliveries = MongoDueDeliveries(database)
        self._results = ResultWriter(deliveries)
        attempts = AttemptParts(
            sender=parts.sender,
            results=self._results,
            sealer=parts.sealer,
            metrics=metrics,
            clock=clock,
            slots=asyncio.Semaphore(parts.slots),
            spread=parts.spread,
        )
        lanes = LaneParts(
            leases=leases,
            deliveries=deliveries,
            attempts=attempts,
            metrics=metrics,
            clock=clock,
            width=max(1, min(MOST_PER_ENDPOINT, parts.slots // _SHARE)),
            load=Load(),
            timing=parts.timing,
        )
        self._dispatcher = Dispatcher(lanes, most_lanes=parts.slots)
        self._sweeper = Sweeper(leases, deliveries, MongoOrphans(database), metrics, clock)
        self._replays = ReplayRunner(MongoReplayJobs(database), leases, self._dispatcher, clock)
        self._gauges = Gauges(MongoOverview(database), metrics, clock)

    @property
    def _workers(self) -> Sequence[_Worker]:
        return (self._dispatcher, self._sweeper, self._replays, self._gauges)

    def wake(self) -> None:
        """Look for what is due now: deliveries were added or made due, or an endpoint was changed."""
        self._dispatcher.wake()

    def replay_added(self) -> None:
        """Look for replays now."""
        self._replays.wake()

    def endpoint_deleted(self) -> None:
        """Look for what a deleted endpoint has left now, and send it nothing more."""
        self._dispatcher.wake()
        self._sweeper.look_for_orphans()

    def stop(self) -> None:
        """Begin no other attempt; `run` returns when those in flight have ended and are recorded."""
        for worker in self._workers:
            worker.stop()

    async def run(self) -> None:
        """Send until stopped."""
        # It runs until the last attempt is recorded, and nothing may be sent without it.
        results = asyncio.create_task(self._results.run(), name="webhook-results")
        sending = asyncio.create_task(self._send(), name="webhook-sending")
        try:
            ended, _ = await asyncio.wait((results, sending), return_when=asyncio.FIRST_COMPLETED)
            for each in ended:
                each.result()
        finally:
            for each in (sending, results):
                each.cancel()
            await asyncio.gather(sending, results, return_exceptions=True)

    async def _send(self) -> None:
        async with asyncio.TaskGroup() as group:
            for worker in self._workers:
                group.create_task(worker.run(), name=type(worker).__name__)
