"""The routes of the console."""

from typing import Final

from httpkit.routes import Route
from portal.console import login, start
from portal.console.operating.routes import OPERATING_ROUTES

CONSOLE_ROUTES: Final = (
    Route("GET", "/console", start.show_start, None, is_json=False),
    Route("GET", "/console/login", login.show_login, None, is_json=False),
    Route("POST", "/console/login", login.log_in, None, is_json=False),
    Route("POST", "/console/logout", login.log_out, None, is_json=False),
    *OPERATING_ROUTES,
)
