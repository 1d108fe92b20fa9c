"""Cache of subscriptions, by client; a change is matched against it without a query."""

import asyncio
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final, Protocol

from domain.ports.core import Clock
from domain.webhooks.message import Change
from webhooks.stores.subscriptions import Subscription

_VISIBLE_AFTER: Final = timedelta(seconds=30)
"""Longer than a write of an endpoint takes to become visible, by any replica's clock."""


class SubscriptionReader(Protocol):
    """Reader of the stored subscriptions. Its calls raise `StoreUnavailable`."""

    async def all(self) -> list[Subscription]:
        """Return the subscription of every endpoint."""

    async def changed_since(self, instant: datetime) -> list[Subscription]:
        """Return the subscriptions of endpoints that were created or changed since an instant."""


class SubscriptionCache:
    """Subscriptions of all endpoints, as of the last refresh."""

    def __init__(self, store: SubscriptionReader, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._by_client: dict[str | None, dict[str, Subscription]] = {}
        self._client_of: dict[str, str | None] = {}
        self._refreshing = asyncio.Lock()
        self._refreshed_at: datetime | None = None
        self._begun = self._succeeded = 0

    def __len__(self) -> int:
        """Return the number of endpoints."""
        return len(self._client_of)

    @property
    def oldest(self) -> datetime | None:
        """Creation of the oldest endpoint; None if there is none."""
        return min((each.created_at for each in self._all()), default=None)

    async def refresh(self) -> None:
        """Take over what was created or changed: all that was acknowledged before this call.

        Deleted endpoints stay until the next `reload`, or `forget`.

        Raises:
            StoreUnavailable: the cache may be stale.
        """
        begun = self._begun
        async with self._refreshing:
            if self._succeeded > begun:
                return  # another one began after this call, and served it
            self._begun += 1
            since, now = self._refreshed_at, self._clock.now()
            if since is None:
                self._replace(await self._store.all())
            else:
                for each in await self._store.changed_since(since - _VISIBLE_AFTER):
                    self._put(each)
            self._refreshed_at, self._succeeded = now, self._begun

    async def reload(self) -> None:
        """Read everything again.

        Raises:
            StoreUnavailable: the cache may be stale.
        """
        async with self._refreshing:
            self._refreshed_at = None
        await self.refresh()

    def forget(self, endpoint_ids: Collection[str]) -> None:
        """Remove endpoints that do not exist any more."""
        for each in endpoint_ids:
            self._remove(each)

    def wanting(self, change: Change, created_by: datetime) -> Iterator[Subscription]:
        """Yield the subscriptions that a change is for: those of endpoints created by then at the latest."""
        type_ = change.type
        for client_id in (change.client_id, None):
            for each in self._by_client.get(client_id, {}).values():
                if type_ in each.types and each.created_at <= created_by:
                    yield each

    def _all(self) -> Iterator[Subscription]:
        for subscriptions in self._by_client.values():
            yield from subscriptions.values()

    def _replace(self, subscriptions: Iterable[Subscription]) -> None:
        self._by_client, self._client_of = {}, {}
        for each in subscriptions:
            self._put(each)

    def _put(self, subscription: Subscription) -> None:
        self._remove(subscription.endpoint_id)
        self._client_of[subscription.endpoint_id] = subscription.client_id
        of_client = self._by_client.setdefault(subscription.client_id, {})
        of_client[subscription.endpoint_id] = subscription

    def _remove(self, endpoint_id: str) -> None:
        if endpoint_id in self._client_of:
            client_id = self._client_of.pop(endpoint_id)
            del self._by_client[client_id][endpoint_id]
            if not self._by_client[client_id]:
                del self._by_client[client_id]
