"""The routes of the tracking pages."""

from typing import Final

from httpkit.budgets import Budget
from httpkit.routes import Route
from portal.tracking.pages import get_search
from portal.tracking.stream import get_stream

TRACKING_ROUTES: Final = (
    Route("GET", "/track", get_search, None, is_json=False),
    Route("GET", "/track/{tracking_number}/stream", get_stream, None, budget=Budget.PUBLIC, is_json=False),
)
