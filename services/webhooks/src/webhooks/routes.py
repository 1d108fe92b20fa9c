"""The routes of webhooks and their permissions."""

from typing import Final

from domain.access.permissions import Permission
from httpkit.listing.list_turns import in_turn
from httpkit.request.negotiation import JSON, MERGE_PATCH
from httpkit.routes import ACCEPT_PATCH, ACCEPT_POST, Route
from webhooks.handlers import deliveries, endpoints

_POSTS: Final = ((ACCEPT_POST, JSON),)
_PATCHES: Final = ((ACCEPT_PATCH, f"{JSON}, {MERGE_PATCH}"),)
_ENDPOINT: Final = "/webhooks/{endpoint_id}"
_DELIVERY: Final = f"{_ENDPOINT}/deliveries/{{delivery_id}}"

ROUTES: Final = (
    Route("GET", "/webhooks", in_turn(endpoints.list_endpoints), Permission.WEBHOOK_READ),
    Route("POST", "/webhooks", endpoints.create_endpoint, Permission.WEBHOOK_MANAGE, hints=_POSTS),
    Route("GET", _ENDPOINT, endpoints.get_endpoint, Permission.WEBHOOK_READ),
    Route("PATCH", _ENDPOINT, endpoints.change_endpoint, Permission.WEBHOOK_MANAGE, hints=_PATCHES),
    Route("DELETE", _ENDPOINT, endpoints.delete_endpoint, Permission.WEBHOOK_MANAGE),
    Route(
        "POST", f"{_ENDPOINT}/secret/rotate", endpoints.rotate_secret, Permission.WEBHOOK_MANAGE, hints=_POSTS
    ),
    Route("POST", f"{_ENDPOINT}/test", endpoints.send_test, Permission.WEBHOOK_MANAGE),
    Route("GET", f"{_ENDPOINT}/deliveries", in_turn(deliveries.list_deliveries), Permission.WEBHOOK_READ),
    Route("GET", _DELIVERY, deliveries.get_delivery, Permission.WEBHOOK_READ),
    Route("POST", f"{_DELIVERY}/retry", deliveries.retry_delivery, Permission.WEBHOOK_MANAGE),
    Route("POST", f"{_ENDPOINT}/replays", deliveries.start_replay, Permission.WEBHOOK_MANAGE, hints=_POSTS),
    Route("GET", f"{_ENDPOINT}/replays/{{replay_id}}", deliveries.get_replay, Permission.WEBHOOK_READ),
)
