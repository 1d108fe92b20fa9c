"""The routes of the tracking pages."""

from typing import Final

from httpkit.routes import Route
from portal.tracking.pages import get_search

TRACKING_ROUTES: Final = (Route("GET", "/track", get_search, None, is_json=False),)
