"""The open streams of a replica: how many there may be, and their end at shutdown."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Final

import prometheus_client
from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry, Gauge

from httpkit.request.addresses import client_address
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError
from httpkit.settings import StreamSettings
from httpkit.streaming.event_slot import EventSlot

_FULL_RETRY_S: Final = 5


class OpenStreams:
    """Admits streams, per address and in all, and closes them when the process stops."""

    def __init__(self, settings: StreamSettings, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._slots: set[EventSlot] = set()
        self._by_address: Counter[str] = Counter()
        self._is_stopping = False
        Gauge("waybill_streams_open", "Event streams that are open.", registry=registry).set_function(
            lambda: len(self._slots)
        )
        self._rejected = prometheus_client.Counter(
            "waybill_streams_rejected",
            "Event streams that were rejected, since there were too many.",
            ["limit"],
            registry=registry,
        )
        for limit in ("address", "replica"):
            self._rejected.labels(limit)

    @contextlib.contextmanager
    def admit(self, request: web.Request, slot: EventSlot) -> Iterator[None]:
        """Count a stream while the context lasts.

        Raises:
            ApiError: 503 with `Retry-After`: the address or this replica has too many, or it stops.
        """
        address = client_address(request)
        self._require_room(address)
        self._slots.add(slot)
        self._by_address[address] += 1
        try:
            yield
        finally:
            self._slots.remove(slot)
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    async def close_all(self, _app: web.Application) -> None:
        """End all streams, and admit no more; for `on_shutdown`."""
        self._is_stopping = True
        for slot in self._slots:
            slot.close()

    def _require_room(self, address: str) -> None:
        if self._is_stopping:
            raise _full("this replica stops: connect again")
        if len(self._slots) >= self._settings.per_replica:
            self._rejected.labels("replica").inc()
            raise _full("too many streams are open here: connect again later")
        if self._by_address[address] >= self._settings.per_address:
            self._rejected.labels("address").inc()
            raise _full("your address has too many open streams: close some")


def _full(message: str) -> ApiError:
    return ApiError(ErrorCode.SERVICE_UNAVAILABLE, message, headers={hdrs.RETRY_AFTER: str(_FULL_RETRY_S)})
