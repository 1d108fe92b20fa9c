"""The routes of ingest-api and who may call them."""

from typing import Final

from domain.permissions import Permission
from httpkit.routes import Route
from ingest_api.handlers.batches import post_batch
from ingest_api.handlers.events import post_event
from ingest_api.handlers.shipments import delete_shipment, patch_shipment, post_shipment

ROUTES: Final = (
    Route("POST", "/events", post_event, Permission.EVENT_REPORT),
    Route("POST", "/events/batch", post_batch, Permission.EVENT_REPORT),
    Route("POST", "/shipments", post_shipment, Permission.SHIPMENT_CREATE),
    Route("PATCH", "/shipments/{tracking_number}", patch_shipment, Permission.SHIPMENT_AMEND),
    Route("DELETE", "/shipments/{tracking_number}", delete_shipment, Permission.SHIPMENT_CANCEL),
)
