"""The routes of the query API, and who may call them."""

from typing import Final

from domain.permissions import Permission
from httpkit.routes import Route
from query_api.handlers import elsewhere, events, login, shipments, users

ROUTES: Final = (
    Route("POST", "/auth/login", login.log_in, None),
    Route("GET", "/auth/users", users.list_users, Permission.USER_READ),
    Route("GET", "/events/{event_id}", events.get_event, Permission.EVENT_READ),
    Route("GET", "/shipments", shipments.list_shipments, Permission.SHIPMENT_READ),
    Route("GET", "/shipments/{tracking_number}", shipments.get_shipment, Permission.SHIPMENT_READ),
)

ELSEWHERE: Final = tuple(
    Route("POST", path, elsewhere.send_to_gateway, None)
    for path in ("/events", "/events/batch", "/shipments")
)
"""Routes of ingest-api: other methods on these paths are answered here, with 405 and `Allow`."""
