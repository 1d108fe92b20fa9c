"""The worker of one partition, as its consumer sees it: records in, in order; offsets out."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import ClassVar

from messaging.consumer.handler import LogPosition
from messaging.consumer.worker.record_queue import RecordQueue
from messaging.consumer.worker.worker_states import State
from messaging.consumer.worker.worker_status import WorkerStatus
from messaging.dead_letters.records import Record
from messaging.unpacking import UnreadableBatch


class Worker(ABC):
    """Handles the records of one partition, from its assignment to its revocation.

    Attributes:
        status: its state.
        queue: its records.
        watched: the states in which the watchdog expects progress.
    """

    watched: ClassVar[Collection[State]] = (State.RUNNING,)

    def __init__(self, name: str, *, max_batch: int) -> None:
        """Create a worker; `run` starts it.

        Args:
            name: `topic/number`.
            max_batch: records handled at once.
        """
        self.status = WorkerStatus(name)
        self.queue = RecordQueue(max_batch)

    @property
    def name(self) -> str:
        """The partition, `topic/number`."""
        return self.status.name

    @property
    def state(self) -> State:
        """See `WorkerStatus`."""
        return self.status.state

    @property
    def problem(self) -> str | None:
        """See `WorkerStatus`."""
        return self.status.problem

    @property
    def done(self) -> int | None:
        """See `RecordQueue`."""
        return self.queue.done

    @property
    def has_room(self) -> bool:
        """True if more records should be fetched."""
        return not self.status.is_halted and self.queue.has_room

    @property
    def is_busy(self) -> bool:
        """True while records wait or are being handled."""
        return self.queue.is_busy

    @property
    def is_idle(self) -> bool:
        """True if it runs, and everything it received is applied."""
        return self.state is State.RUNNING and not self.is_busy

    def put(self, records: Sequence[Record | UnreadableBatch]) -> None:
        """Add records, to be handled after those that wait already; not while halted."""
        if not self.status.is_halted:
            self.queue.inbox.put(records)
            self.status.wake()

    def stop(self) -> None:
        """Start no new batch from here on."""
        self.status.stop()

    async def drain(self) -> None:
        """Start no new batch; return when the one in flight is done, or abandoned."""
        self.stop()
        await self.queue.settled()

    async def run(self, log: LogPosition) -> None:
        """Handle records until cancelled or drained."""
        try:
            while not self.status.is_stopping:
                await self._serve(log)
        finally:
            self.queue.settle()

    @abstractmethod
    def reopen(self, why: str) -> None:
        """Drop what was read: the log was re-created, and is read from its beginning."""

    @abstractmethod
    async def _serve(self, log: LogPosition) -> None:
        """Handle records until there is a reason to start again; `run` then calls it again."""
