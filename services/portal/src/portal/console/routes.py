"""The routes of the console."""

from typing import Final

from httpkit.routes import Route
from portal.console import login, start
from portal.console.accounts.routes import ACCOUNT_ROUTES
from portal.console.operating.routes import OPERATING_ROUTES
from portal.console.shipments.routes import SHIPMENT_ROUTES
from portal.console.upload.routes import UPLOAD_ROUTES
from portal.console.webhooks.routes import WEBHOOK_ROUTES

CONSOLE_ROUTES: Final = (
    Route("GET", "/console", start.show_start, None, is_json=False),
    Route("GET", "/console/login", login.show_login, None, is_json=False),
    Route("POST", "/console/login", login.log_in, None, is_json=False),
    Route("POST", "/console/logout", login.log_out, None, is_json=False),
    *OPERATING_ROUTES,
    *SHIPMENT_ROUTES,
    *WEBHOOK_ROUTES,
    *ACCOUNT_ROUTES,
    *UPLOAD_ROUTES,
)
