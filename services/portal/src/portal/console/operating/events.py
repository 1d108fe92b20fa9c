"""The page of one event: its outcome, and where it is in the log."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from domain.access.permissions import Permission
from portal.console.api import Json, path_to
from portal.console.frame import api, console_page, session
from portal.web.rendering import render


@dataclass(frozen=True, slots=True)
class EventView:
    """The page of an event.

    Attributes:
        links_to_partitions: the reader may see partitions.
    """

    event: Json
    links_to_partitions: bool

    @property
    def other_payloads(self) -> Sequence[Json]:
        """Different payloads that were sent with its id."""
        others: Sequence[Json] = self.event.get("other_payloads", ())
        return others


@console_page(Permission.EVENT_READ)
async def show_event(request: web.Request) -> web.StreamResponse:
    """Show one event."""
    event = await api(request).get(path_to("events", request.match_info["event_id"]))
    view = EventView(event, session(request).may(Permission.PARTITION_READ))
    return render(request, "console/event.html", view)
