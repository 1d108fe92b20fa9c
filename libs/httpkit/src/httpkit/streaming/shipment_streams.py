"""Streams of shipments: the current status, then each change."""

from typing import Final

from aiohttp import web

from domain.ports.live import CurrentStatus, StatusChanges, StatusReader
from domain.ports.queries import EVERYTHING, Scope
from domain.shipments.tracking_number import TrackingNumber
from httpkit.response.json_responses import to_json
from httpkit.streaming.event_slot import EventSlot, ServerEvent
from httpkit.streaming.event_stream import last_event_id, send_events
from httpkit.streaming.open_streams import OpenStreams


class ShipmentStreams:
    """Serves the stream of a shipment; an event's id is the shipment's version."""

    def __init__(self, streams: OpenStreams, statuses: StatusReader, changes: StatusChanges) -> None:
        self._streams = streams
        self._statuses = statuses
        self._changes = changes

    async def serve(
        self, request: web.Request, tracking_number: TrackingNumber, scope: Scope = EVERYTHING
    ) -> web.StreamResponse | None:
        """Send the status, if the client does not have this version, and its changes until the stream ends.

        Returns:
            The response, which has been sent; None: the scope has no such shipment, and nothing was sent.

        Raises:
            ApiError: 503, too many streams are open.
            StoreUnavailable: the status cannot be read.
        """
        slot = EventSlot(after=last_event_id(request))

        def show(status: CurrentStatus) -> None:
            slot.put(_event_of(status))

        # In this order: a change after the status was read is heard.
        with self._streams.admit(request, slot), self._changes.listening(tracking_number, show):
            found = await self._statuses.current([tracking_number], scope)
            if tracking_number not in found:
                return None
            show(found[tracking_number])
            return await send_events(request, slot)


def _event_of(status: CurrentStatus) -> ServerEvent:
    return ServerEvent(
        status.version, to_json({"version": status.version, "current_status": str(status.status)})
    )


SHIPMENT_STREAMS: Final = web.AppKey("shipment_streams", ShipmentStreams)
