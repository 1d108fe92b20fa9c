"""The routes of ingest-api and their permissions."""

from typing import Final

from domain.access.permissions import Permission
from httpkit.request.negotiation import JSON, MERGE_PATCH, NDJSONS
from httpkit.routes import ACCEPT_PATCH, ACCEPT_POST, Route
from ingest_api.handlers.post_events import post_batch, post_event
from ingest_api.handlers.post_retraction import post_retraction
from ingest_api.handlers.replays import post_replay, post_replays
from ingest_api.handlers.shipment_writes import delete_shipment, patch_shipment, post_shipment
from ingest_api.schemas.events import MAX_BATCH

MAX_EVENTS_HEADER: Final = "Waybill-Max-Events"

_POSTS: Final = ((ACCEPT_POST, JSON),)
_POSTS_BATCHES: Final = ((ACCEPT_POST, ", ".join((JSON, *NDJSONS))), (MAX_EVENTS_HEADER, str(MAX_BATCH)))
_PATCHES: Final = ((ACCEPT_PATCH, f"{JSON}, {MERGE_PATCH}"),)

ROUTES: Final = (
    Route("POST", "/events", post_event, Permission.EVENT_REPORT, hints=_POSTS),
    Route("POST", "/events/batch", post_batch, Permission.EVENT_REPORT, hints=_POSTS_BATCHES),
    Route("POST", "/events/{event_id}/retract", post_retraction, Permission.EVENT_RETRACT, hints=_POSTS),
    Route("POST", "/shipments", post_shipment, Permission.SHIPMENT_CREATE, hints=_POSTS),
    Route(
        "PATCH",
        "/shipments/{tracking_number}",
        patch_shipment,
        Permission.SHIPMENT_AMEND,
        hints=_PATCHES,
        is_conditional=True,
    ),
    Route(
        "DELETE",
        "/shipments/{tracking_number}",
        delete_shipment,
        Permission.SHIPMENT_CANCEL,
        is_conditional=True,
    ),
    Route("POST", "/dead-letters/replay", post_replays, Permission.DEAD_LETTER_REPLAY, hints=_POSTS),
    Route("POST", "/dead-letters/{dead_letter_id}/replay", post_replay, Permission.DEAD_LETTER_REPLAY),
)
