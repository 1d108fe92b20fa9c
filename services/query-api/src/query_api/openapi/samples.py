"""Examples of the OpenAPI document: one shipment and its events."""

from typing import Any, Final

from httpkit.openapi.identifiers import CREATION, EVENT, NUMBER

SEEN_AT: Final = {"lat": 19.3629, "lng": -99.1824, "address": "Av. Insurgentes Sur 1602, CDMX"}
SHIPMENT: Final[dict[str, Any]] = {
    "tracking_number": NUMBER,
    "client_id": "client_001",
    "origin": {
        "address": "Av. Insurgentes Sur 1602, CDMX",
        "coordinates": {"lat": 19.3629, "lng": -99.1824},
    },
    "destination": {
        "address": "Av. Vallarta 3959, Guadalajara",
        "coordinates": {"lat": 20.6767, "lng": -103.431},
    },
    "package": {"weight_kg": 2.5, "content_description": "Refacciones"},
    "reference": "order 4711",
    "estimated_delivery": {"earliest": "2026-11-05T15:00:00.000Z", "latest": "2026-11-06T00:00:00.000Z"},
    "current_status": "picked_up",
    "status_history": [
        {
            "event_id": CREATION,
            "status": "created",
            "timestamp": "2026-11-02T14:02:11.402Z",
            "source": "api",
            "location": None,
            "notes": None,
            "recorded_at": "2026-11-02T14:02:11.418Z",
        },
        {
            "event_id": EVENT,
            "status": "picked_up",
            "timestamp": "2026-11-02T14:15:00.000Z",
            "utc_offset": "-06:00",
            "source": "driver-017",
            "location": SEEN_AT,
            "notes": "Dos bultos",
            "recorded_at": "2026-11-02T14:15:02.118Z",
        },
    ],
    "version": 2,
    "created_at": "2026-11-02T14:02:11.402Z",
    "updated_at": "2026-11-02T14:15:02.118Z",
}
APPLIED: Final[dict[str, Any]] = {
    "event_id": EVENT,
    "tracking_number": NUMBER,
    "client_id": "client_001",
    "status": "picked_up",
    "timestamp": "2026-11-02T14:15:00.000Z",
    "utc_offset": "-06:00",
    "source": "driver-017",
    "location": SEEN_AT,
    "notes": "Dos bultos",
    "outcome": "applied",
    "reason": None,
    "attempts": 1,
    "duplicates": 0,
    "conflicts": 0,
    "partition": 7,
    "offset": 48211,
    "received_at": "2026-11-02T14:15:02.103Z",
    "recorded_at": "2026-11-02T14:15:02.118Z",
    "submitted_by": "driver_user_001",
}
REJECTED: Final[dict[str, Any]] = APPLIED | {
    "event_id": f"evt_{NUMBER}_01a19e72ff80_mhoihfk4qfwlg",
    "status": "delivered",
    "timestamp": "2026-11-02T16:48:30.720Z",
    "location": None,
    "notes": None,
    "outcome": "rejected",
    "reason": "INVALID_TRANSITION",
    "current_status": "picked_up",
    "may_follow": ["in_warehouse", "cancelled"],
    "attempts": 2,
    "offset": 48390,
}
DEAD_LETTER: Final[dict[str, Any]] = {
    "id": "dl_7_48213",
    "reason": "unreadable",
    "error": "not JSON",
    "attempts": 1,
    "topic": "shipments.events",
    "partition": 7,
    "offset": 48213,
    "timestamp": "2026-11-02T16:50:00.000Z",
    "key": NUMBER,
    "event_id": None,
    "tracking_number": NUMBER,
    "recorded_at": "2026-11-02T16:50:00.118Z",
    "value_preview": '{"specversion":',
    "value_hex": "7b227370656376657273696f6e223a",
    "headers": [{"name": "content-type", "value": "application/cloudevents+json"}],
    "replay_of": None,
    "state": "open",
    "replays": 0,
    "last_replay": None,
    "discard": None,
}
DISCARDED_DEAD_LETTER: Final[dict[str, Any]] = DEAD_LETTER | {
    "state": "discarded",
    "discard": {"by": "admin_user", "at": "2026-11-02T17:20:41.337Z", "reason": "a scanner's self-test"},
}
DISCARDED: Final[dict[str, Any]] = {
    "id": "act_mzxw6ytboi2gk3tumvzq7d3c",
    "at": "2026-11-02T17:20:41.337Z",
    "by": "admin_user",
    "action": "dead_letter.discarded",
    "target": "dl_7_48213",
    "reason": "a scanner's self-test",
    "details": {},
}
USER: Final[dict[str, Any]] = {
    "username": "driver_user_001",
    "role": "producer",
    "client_id": None,
    "disabled": False,
    "allowed_sources": ["driver-", "scanner-mx-"],
    "seeded": False,
    "created_at": "2026-11-01T06:00:00.000Z",
    "updated_at": "2026-11-01T06:00:00.000Z",
}
TOKEN: Final = {
    "token": "eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.e30.c2lnbmF0dXJl",
    "expires_in": 86_400,
    "token_type": "Bearer",
}

STREAM: Final = 'retry: 1400\n\nid: 4\ndata: {"version":4,"current_status":"in_transit"}\n\n:\n\n'
