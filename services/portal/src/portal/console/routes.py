"""The routes of the console."""

from typing import Final

from httpkit.routes import Route
from portal.console.pages import get_start

CONSOLE_ROUTES: Final = (Route("GET", "/console", get_start, None, is_json=False),)
