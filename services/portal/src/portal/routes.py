"""The routes of the portal."""

from typing import Final

from httpkit.budgets import Budget
from httpkit.routes import Route
from portal.console.routes import CONSOLE_ROUTES
from portal.tracking.routes import TRACKING_ROUTES
from portal.web.assets import get_asset

ROUTES: Final = (
    *TRACKING_ROUTES,
    *CONSOLE_ROUTES,
    Route("GET", "/assets/{name}", get_asset, None, budget=Budget.EXEMPT, is_json=False),
)
