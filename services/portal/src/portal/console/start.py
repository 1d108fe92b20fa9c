"""The start of the console: the overview for operators, their shipments for clients."""

from aiohttp import web

from domain.access.permissions import Permission
from portal.console.frame import console_page, see, session


@console_page(Permission.SHIPMENT_READ)
async def show_start(request: web.Request) -> web.StreamResponse:
    """Show the overview to operators, and lead clients to their shipments."""
    if not session(request).may(Permission.PARTITION_READ):
        return see(request, "/console/shipments")
    return see(request, "/console/overview")
