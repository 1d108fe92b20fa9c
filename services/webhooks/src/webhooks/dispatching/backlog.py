"""The backlog of an endpoint: its due deliveries, in the order of sending, a few of them in memory."""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from domain.ports.core import Clock
from domain.values import value
from domain.webhooks.endpoint import Endpoint, Ordering
from webhooks.stores.due import MongoDueDeliveries, PendingDelivery

_LARGEST_WINDOW: Final = 4096


@value()
class Sendable:
    """A delivery that can be sent; without a body if its message has expired."""

    delivery: PendingDelivery
    body: bytes | None


class Backlog:
    """Due deliveries of one endpoint.

    A delivery is busy from when it is read until `end` is called for it. With `per_shipment`, one of each
    shipment is, and only if no earlier version of it is pending.
    """

    def __init__(self, deliveries: MongoDueDeliveries, clock: Clock, *, ahead: Callable[[], int]) -> None:
        """Begin with an empty one.

        Args:
            deliveries: where they are read.
            clock: decides what is due.
            ahead: number of deliveries that may be read ahead of those in flight.
        """
        self._deliveries = deliveries
        self._clock = clock
        self._ahead = ahead
        self._queue: deque[Sendable] = deque()
        self._busy: dict[str, PendingDelivery] = {}
        self._window = 0
        self.next_due_at: datetime | None = None
        self.is_complete = False

    def __len__(self) -> int:
        """Return the number of deliveries that wait in memory."""
        return len(self._queue)

    @property
    def is_busy(self) -> bool:
        """Whether any delivery waits in memory, or was taken and has not ended."""
        return bool(self._busy)

    @property
    def oldest_due(self) -> datetime | None:
        """The time at which the oldest of those that are busy was due."""
        return min((each.due_at for each in self._busy.values()), default=None)

    @property
    def is_low(self) -> bool:
        """Whether it is time to read more."""
        return len(self._queue) <= self._ahead() // 4

    def take(self) -> Sendable:
        """Take the next delivery.

        Raises:
            IndexError: none waits.
        """
        return self._queue.popleft()

    def end(self, delivery: PendingDelivery, *, due_at: datetime | None) -> None:
        """Note that a delivery that was taken has ended, or is due again."""
        self._busy.pop(delivery.delivery_id, None)
        self._note_due(due_at)

    def drop(self) -> None:
        """Forget what waits in memory; those that were taken stay busy."""
        while self._queue:
            self._busy.pop(self._queue.popleft().delivery.delivery_id)

    async def read(self, endpoint: Endpoint) -> None:
        """Read more of what is due.

        Afterwards `is_complete` says whether all that was due is busy, and `next_due_at` when more falls due.

        Raises:
            StoreUnavailable: nothing was read.
        """
        ahead = self._ahead()
        self._window = max(self._window, ahead)
        limit = self._window + len(self._busy)
        busy, self.next_due_at = set(self._busy), None
        pending = await self._deliveries.pending(endpoint.endpoint_id, limit=limit)
        now = self._clock.now()
        # What has ended while this was read is seen as it was before.
        due = [
            each
            for each in pending
            if each.due_at <= now and each.delivery_id not in busy and each.delivery_id not in self._busy
        ]
        self._note_due(next((each.due_at for each in pending if each.due_at > now), None))
        ready, deferred = due, 0
        if endpoint.ordering is Ordering.PER_SHIPMENT:
            ready, deferred = await self._in_order(endpoint.endpoint_id, due, now)
        taken = ready[:ahead]
        self.is_complete = len(taken) + deferred == len(due) and len(pending) < limit
        # Many later versions of few shipments may hide the others.
        self._window = ahead if taken else min(2 * self._window, _LARGEST_WINDOW)
        await self._load(endpoint, taken)

    async def _in_order(
        self, endpoint_id: str, due: Sequence[PendingDelivery], now: datetime
    ) -> tuple[list[PendingDelivery], int]:
        """Return those that nothing earlier holds back, and how many were deferred to when that is due."""
        busy = {each.tracking_number for each in self._busy.values()}
        free = [each for each in due if each.tracking_number not in busy]
        if not free:
            return [], 0
        first = await self._deliveries.first_pending(endpoint_id, {each.tracking_number for each in free})
        ready: dict[str, PendingDelivery] = {}
        later: dict[str, datetime] = {}
        for each in free:
            version, due_at = first.get(each.tracking_number, (each.version, each.due_at))
            if each.version <= version:
                ready.setdefault(each.tracking_number, each)
            elif due_at > now:
                later[each.delivery_id] = due_at
                self._note_due(due_at)
        if later:
            await self._deliveries.defer(later)
        return list(ready.values()), len(later)

    async def _load(self, endpoint: Endpoint, taken: Sequence[PendingDelivery]) -> None:
        if not taken:
            return
        bodies = await self._deliveries.bodies([each.message_id for each in taken], endpoint.payload)
        for each in taken:
            self._busy[each.delivery_id] = each
            self._queue.append(Sendable(each, bodies.get(each.message_id)))

    def _note_due(self, due_at: datetime | None) -> None:
        if due_at is not None and (self.next_due_at is None or due_at < self.next_due_at):
            self.next_due_at = due_at
