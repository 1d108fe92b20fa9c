"""Shipments."""

import uuid
from http import HTTPStatus
from typing import Unpack

from waybill._async.connection import AsyncConnection
from waybill._async.listing import AsyncListing
from waybill._async.streams import server_sent_events
from waybill.fields import EventFilters, NewShipment, ShipmentChanges, ShipmentFilters
from waybill.models import Changed, Event, LiveStatus, Queued, Registered, Shipment
from waybill.operations import (
    AMEND_SHIPMENT,
    CANCEL_SHIPMENT,
    GET_SHIPMENT,
    LIST_SHIPMENT_EVENTS,
    LIST_SHIPMENTS,
    REGISTER_SHIPMENT,
    STREAM_SHIPMENT,
)
from waybill.transport import PAGE_SIZE, UNASKED_WAIT_S, Call, Reply, json_of
from waybill.values import query_of, version_header, without_none
from waybill.waiting import AsyncStream


class AsyncShipments:
    """Shipments: create, read, amend, cancel, follow."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def create(
        self,
        *,
        wait: float | None = None,
        idempotency_key: str | None = None,
        **fields: Unpack[NewShipment],
    ) -> Registered | Queued:
        """Create a shipment: `Registered` once it exists, `Queued` if the wait has ended before.

        Args:
            wait: seconds to wait for the shipment to exist, at most 30; None: 5.
            idempotency_key: the same key and fields give the same shipment, whenever they are sent; None: a
                key for this call alone, whose retries create one shipment.
            fields: of the shipment. An admin must give `client_id`; a client creates for itself.

        Raises:
            BadRequest: a field is invalid, or the key was used with other fields; `details` names them.
            ValueError: the key is empty.
        """
        key = str(uuid.uuid4()) if idempotency_key is None else idempotency_key
        if not key.strip():
            raise ValueError("idempotency_key is empty: two shipments would come of a repeated call")
        call = Call(
            operation=REGISTER_SHIPMENT,
            body=without_none(**fields),
            headers={"Idempotency-Key": key},
            wait_s=wait,
            slow_s=UNASKED_WAIT_S,
        )
        reply = await self._connection.call(call)
        return reply.as_model(Queued) if reply.is_queued else reply.as_model(Registered)

    async def get(self, tracking_number: str) -> Shipment:
        """Return a shipment with its history.

        Raises:
            NotFound: there is no such shipment.
        """
        call = Call(operation=GET_SHIPMENT, steps={"tracking_number": tracking_number})
        reply = await self._connection.call(call)
        return reply.as_model(Shipment)

    async def stream(
        self, tracking_number: str, *, after_version: int | None = None
    ) -> AsyncStream[LiveStatus]:
        """Yield the status of a shipment now, and again with each change, without end: leave the loop.

        Of several changes that come together only the last is yielded. A stream that ends or breaks off is
        opened again where it ended. To follow many shipments, use webhooks.

        Args:
            tracking_number: of the shipment.
            after_version: yield only later versions; None: begin with the present status.

        Raises:
            NotFound: there is no such shipment.
        """
        call = Call(operation=STREAM_SHIPMENT, steps={"tracking_number": tracking_number})
        last_id = None if after_version is None else str(after_version)
        async for event in server_sent_events(self._connection, call, last_id):
            yield Reply(HTTPStatus.OK, json_of(event.data), {}).as_model(LiveStatus)

    def list(self, *, limit: int = PAGE_SIZE, **filters: Unpack[ShipmentFilters]) -> AsyncListing[Shipment]:
        """List shipments, newest first.

        Args:
            limit: shipments of a page, at most 100; iterating gives those of all pages.
            filters: all must hold; `client_id` is for admins.
        """
        call = Call(operation=LIST_SHIPMENTS, query=query_of(**filters, limit=limit))
        return AsyncListing(self._connection, call, Shipment)

    async def amend(
        self,
        tracking_number: str,
        *,
        if_version: int | None = None,
        wait: float | None = None,
        **changes: Unpack[ShipmentChanges],
    ) -> Changed | Queued:
        """Change fields of a shipment.

        Args:
            tracking_number: of the shipment.
            if_version: change it only if this is its version, as `Shipment.version` says. With it, the call
                is retried if its response is lost.
            wait: seconds to wait for the change, at most 30; None: 5.
            changes: the fields; a latitude only with its longitude.

        Raises:
            BadRequest: a field is invalid; `details` names it.
            NotFound: there is no such shipment.
            Conflict: its status does not allow it.
            PreconditionFailed: it has another version; `is_uncertain`: perhaps since an earlier attempt of
                this call was executed, although its answer was lost.
        """
        call = Call(
            operation=AMEND_SHIPMENT,
            steps={"tracking_number": tracking_number},
            body=without_none(**changes),
            headers=version_header(if_version),
            wait_s=wait,
            slow_s=UNASKED_WAIT_S,
        )
        return await self._change(call)

    async def cancel(
        self, tracking_number: str, *, if_version: int | None = None, wait: float | None = None
    ) -> Changed | Queued:
        """Cancel a shipment: a change of its status, not a removal.

        Args:
            tracking_number: of the shipment.
            if_version: cancel it only if this is its version.
            wait: seconds to wait for the change, at most 30; None: 5.

        Raises:
            NotFound: there is no such shipment.
            Conflict: its status does not allow it.
            PreconditionFailed: it has another version; `is_uncertain`: perhaps since an earlier attempt of
                this call was executed, although its answer was lost.
        """
        call = Call(
            operation=CANCEL_SHIPMENT,
            steps={"tracking_number": tracking_number},
            headers=version_header(if_version),
            wait_s=wait,
            slow_s=UNASKED_WAIT_S,
        )
        return await self._change(call)

    def events(
        self, tracking_number: str, *, limit: int = PAGE_SIZE, **filters: Unpack[EventFilters]
    ) -> AsyncListing[Event]:
        """List the events of a shipment, oldest first, rejected ones too.

        Args:
            tracking_number: of the shipment.
            limit: events of a page, at most 100; iterating gives those of all pages.
            filters: all must hold.

        Raises:
            NotFound: there is no such shipment.
        """
        call = Call(
            operation=LIST_SHIPMENT_EVENTS,
            steps={"tracking_number": tracking_number},
            query=query_of(**filters, limit=limit),
        )
        return AsyncListing(self._connection, call, Event)

    async def _change(self, call: Call) -> Changed | Queued:
        reply = await self._connection.call(call)
        return reply.as_model(Queued) if reply.is_queued else reply.as_model(Changed)
