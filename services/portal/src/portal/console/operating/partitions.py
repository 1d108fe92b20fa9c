"""Pages of partitions."""

from aiohttp import web

from domain.access.permissions import Permission
from portal.console.frame import api, console_page
from portal.web.rendering import render


@console_page(Permission.PARTITION_READ)
async def show_partitions(request: web.Request) -> web.StreamResponse:
    """Show the partitions, halted ones first."""
    found = await api(request).get("/partitions")
    return render(request, "console/partitions.html", found)
