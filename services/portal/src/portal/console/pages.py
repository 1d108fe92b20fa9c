"""Handlers of the console's start."""

from dataclasses import dataclass

from aiohttp import web

from portal.web.rendering import render


@dataclass(frozen=True, slots=True)
class StartView:
    """The start of the console."""


async def get_start(request: web.Request) -> web.Response:
    """Return the start of the console."""
    return render(request, "console/start.html", StartView())
