"""The search of the console's frame: the id, number or reference decides which page it leads to."""

import re
from typing import Final

from aiohttp import web

from domain.access.permissions import Permission
from domain.errors import InvalidTrackingNumber
from domain.processing.dead_letter import position_of
from domain.shipments.tracking_number import read_tracking_number
from portal.console.api import path_to
from portal.console.frame import console_page, see

_EVENT: Final = re.compile(r"evt_[A-Za-z0-9_-]{1,200}", re.ASCII)
_LONGEST: Final = 200


@console_page(Permission.SHIPMENT_READ)
async def search(request: web.Request) -> web.StreamResponse:
    """Lead to the page of what was typed."""
    typed = request.query.get("q", "").strip()[:_LONGEST]
    if not typed:
        return see(request, "/console/shipments")
    if position_of(typed) is not None:
        return see(request, "/console/dead-letters" + path_to(typed))
    if _EVENT.fullmatch(typed):
        return see(request, "/console/events" + path_to(typed))
    try:
        number = read_tracking_number(typed)
    except InvalidTrackingNumber:
        return see(request, "/console/shipments", reference=typed)
    return see(request, "/console/shipments" + path_to(number))
