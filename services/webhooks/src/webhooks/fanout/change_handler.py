"""Handling of a batch of changes: messages and deliveries are stored, and their endpoints learn of it."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta
from typing import Final

import structlog

from domain.errors import PoisonRecord
from domain.ports.core import Clock
from domain.values import value
from domain.webhooks.message import Change
from messaging.change_codec import decode_change
from messaging.dead_letters.records import Record, instant_at
from webhooks.fanout.subscription_cache import SubscriptionCache
from webhooks.stores.deliveries import MongoDeliveryStore, NewDelivery
from webhooks.stores.messages import MongoMessageStore
from webhooks.stores.subscriptions import MongoSubscriptionStore, Subscription

_log = structlog.get_logger(__name__)

CLOCK_SKEW: Final = timedelta(seconds=5)
"""Greatest difference of clocks: how long before an endpoint's creation a change may have been published."""
_CLOCK_SKEW_MS: Final = CLOCK_SKEW // timedelta(milliseconds=1)

Wake = Callable[[], None]
"""Tells the dispatcher of this process that something is due."""

CountHeld = Callable[[int], None]
"""Counts deliveries that are held, since their endpoint is paused."""


@value(kw_only=True)
class Stores:
    """The collections that fan-out writes."""

    subscriptions: MongoSubscriptionStore
    messages: MongoMessageStore
    deliveries: MongoDeliveryStore


@value()
class WantedChange:
    """A change, and the endpoints that want it."""

    change: Change
    subscriptions: Sequence[Subscription]


class ChangeHandler:
    """`RecordHandler` that fans changes out; handling a record again adds nothing.

    Attributes:
        skipped: number of records that hold no valid change.
    """

    def __init__(
        self, stores: Stores, cache: SubscriptionCache, clock: Clock, *, wake: Wake, count_held: CountHeld
    ) -> None:
        self.skipped = 0
        self._stores = stores
        self._cache = cache
        self._clock = clock
        self._wake = wake
        self._count_held = count_held

    async def handle(self, records: Sequence[Record]) -> None:
        """Store what endpoints want of the changes.

        An endpoint whose creation was acknowledged before a change was published gets it.

        Raises:
            StoreUnavailable: some may be missing; handle the same records again.
        """
        await self._cache.refresh()
        wanted = [each for each in map(self._wanted, records) if each is not None and each.subscriptions]
        if not wanted:
            return
        now = self._clock.now()
        await self._stores.messages.insert((each.change for each in wanted), now)
        self._count_held(await self._stores.deliveries.insert(_deliveries(wanted), now))
        await self._note(wanted)
        self._wake()

    def _wanted(self, record: Record) -> WantedChange | None:
        try:
            change = decode_change(record.value)
        except PoisonRecord as error:
            self.skipped += 1
            _log.error(
                "change_unreadable", partition=record.partition, offset=record.offset, fault=error.reason
            )
            return None
        created_by = instant_at(record.timestamp + _CLOCK_SKEW_MS)
        return WantedChange(change, list(self._cache.wanting(change, created_by)))

    async def _note(self, wanted: Sequence[WantedChange]) -> None:
        """Note at the endpoints that something is due; leave nothing behind of those that were deleted."""
        endpoint_ids = {each.endpoint_id for one in wanted for each in one.subscriptions}
        if await self._stores.subscriptions.note_due(endpoint_ids, self._clock.now()):
            return
        missing = await self._stores.subscriptions.missing(endpoint_ids)
        await self._stores.deliveries.delete_of(missing)
        self._cache.forget(missing)


def _deliveries(wanted: Collection[WantedChange]) -> Iterator[NewDelivery]:
    for each in wanted:
        for subscription in each.subscriptions:
            yield NewDelivery(each.change, subscription.endpoint_id, subscription.is_paused)
