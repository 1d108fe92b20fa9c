"""The routes of query-api and their permissions."""

from typing import Final

from domain.access.permissions import Permission
from httpkit.budgets import Budget
from httpkit.listing.list_turns import in_turn
from httpkit.request.negotiation import JSON, MERGE_PATCH
from httpkit.routes import ACCEPT_PATCH, ACCEPT_POST, Route
from query_api.handlers import (
    dead_letters,
    documents,
    elsewhere,
    events,
    links,
    login,
    operator_actions,
    partitions,
    public,
    shipments,
    users,
)

_KEYS: Final = "/auth/users/{username}/api-keys"
_LINKS: Final = "/shipments/{tracking_number}/links"

ROUTES: Final = (
    Route("GET", "/", documents.get_start, None, is_json=False),
    Route("GET", "/openapi.json", documents.get_contract, None, is_json=False),
    Route("GET", "/docs", documents.get_docs, None, is_json=False),
    Route("GET", "/docs/{asset}", documents.get_docs_asset, None, is_json=False),
    Route("POST", "/auth/login", login.log_in, None, budget=Budget.LOGIN),
    Route("POST", "/auth/token", login.exchange_key, None, budget=Budget.LOGIN),
    Route("POST", "/auth/logout", login.log_out, Permission.SESSION_END),
    Route(
        "POST",
        "/auth/password",
        login.change_own_password,
        Permission.OWN_PASSWORD_CHANGE,
        budget=Budget.LOGIN,
    ),
    Route("GET", "/auth/users", in_turn(users.list_users), Permission.USER_READ),
    Route("POST", "/auth/users", users.create_user, Permission.USER_MANAGE),
    Route("GET", "/auth/users/{username}", users.get_user, Permission.USER_READ),
    Route("PATCH", "/auth/users/{username}", users.change_user, Permission.USER_MANAGE),
    Route("GET", _KEYS, users.list_keys, Permission.USER_READ),
    Route("POST", _KEYS, users.create_key, Permission.USER_MANAGE),
    Route("DELETE", f"{_KEYS}/{{key_id}}", users.delete_key, Permission.USER_MANAGE),
    # Not "batch", which is a path of its own: GET there is 405.
    Route("GET", "/events/{event_id:(?!batch$)[^/]+}", events.get_event, Permission.EVENT_READ),
    Route("GET", "/shipments", in_turn(shipments.list_shipments), Permission.SHIPMENT_READ),
    Route("GET", "/shipments/{tracking_number}", shipments.get_shipment, Permission.SHIPMENT_READ),
    Route(
        "GET",
        "/shipments/{tracking_number}/stream",
        shipments.stream_shipment,
        Permission.SHIPMENT_READ,
        is_json=False,
    ),
    Route(
        "GET",
        "/shipments/{tracking_number}/events",
        in_turn(events.list_shipment_events),
        Permission.SHIPMENT_READ,
    ),
    Route("GET", _LINKS, links.list_links, Permission.LINK_READ),
    Route("POST", _LINKS, links.create_link, Permission.LINK_MANAGE),
    Route("DELETE", f"{_LINKS}/{{link_id}}", links.delete_link, Permission.LINK_MANAGE),
    # All paths below, so that whatever is not there has the same answer.
    Route(
        "GET",
        r"/public/shipments/{tracking_number:[\s\S]*}",
        public.get_public_shipment,
        None,
        budget=Budget.PUBLIC,
    ),
    Route("GET", "/dead-letters", in_turn(dead_letters.list_dead_letters), Permission.DEAD_LETTER_READ),
    # Not "replay", likewise.
    Route(
        "GET",
        "/dead-letters/{dead_letter_id:(?!replay$)[^/]+}",
        dead_letters.get_dead_letter,
        Permission.DEAD_LETTER_READ,
    ),
    Route(
        "POST",
        "/dead-letters/{dead_letter_id}/discard",
        dead_letters.discard_dead_letter,
        Permission.DEAD_LETTER_DISCARD,
    ),
    Route("GET", "/partitions", partitions.list_partitions, Permission.PARTITION_READ),
    Route(
        "POST",
        "/partitions/{partition:[0-9]+}/resume",
        partitions.resume_partition,
        Permission.PARTITION_RESUME,
    ),
    Route("GET", "/quarantine", partitions.list_quarantine, Permission.QUARANTINE_READ),
    Route(
        "PUT",
        "/quarantine/{tracking_number}",
        partitions.put_quarantine,
        Permission.QUARANTINE_MANAGE,
        is_conditional=True,
    ),
    Route(
        "DELETE", "/quarantine/{tracking_number}", partitions.delete_quarantine, Permission.QUARANTINE_MANAGE
    ),
    Route(
        "GET", "/operator-actions", in_turn(operator_actions.list_actions), Permission.OPERATOR_ACTION_READ
    ),
)

ELSEWHERE: Final = tuple(
    Route(method, path, elsewhere.send_to_gateway, None, hints=hints)
    for method, path, hints in (
        ("POST", "/events", ()),
        ("POST", "/events/batch", ()),
        ("POST", "/events/{event_id}/retract", ()),
        ("POST", "/shipments", ((ACCEPT_POST, JSON),)),
        ("PATCH", "/shipments/{tracking_number}", ((ACCEPT_PATCH, f"{JSON}, {MERGE_PATCH}"),)),
        ("DELETE", "/shipments/{tracking_number}", ()),
        ("POST", "/dead-letters/replay", ()),
        ("POST", "/dead-letters/{dead_letter_id}/replay", ()),
    )
)
"""Routes of ingest-api: query-api serves the other methods on these paths, with 405 and `Allow`, and OPTIONS
where both services have routes."""
