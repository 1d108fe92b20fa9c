"""The routes of the tracking pages."""

from typing import Final

from httpkit.budgets import Budget
from httpkit.routes import Route
from portal.tracking.links import post_session
from portal.tracking.pages import get_search, get_shipment
from portal.tracking.stream import get_stream

# Whatever is typed has the same page: slashes and line ends too.
_ANYTHING: Final = r"/track/{tracking_number:[\s\S]*}"
_STREAM: Final = "/track/{tracking_number}/stream"

TRACKING_ROUTES: Final = (
    Route("GET", "/track", get_search, None, is_json=False),
    Route("POST", "/track/session", post_session, None, budget=Budget.PUBLIC, is_json=False),
    Route("GET", _STREAM, get_stream, None, budget=Budget.PUBLIC, is_json=False),
    Route("GET", _ANYTHING, get_shipment, None, budget=Budget.PUBLIC, is_json=False),
)
