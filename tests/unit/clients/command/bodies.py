"""Bodies of the API, as it sends them."""

from tests.unit.clients.command.stand_in import Json

NUMBER = "99M-GMPWC6W7SP2G"
EVENT_ID = "evt_1"

PLACE: Json = {"address": "Calle 7, Puebla", "coordinates": {"lat": 19.04, "lng": -98.2}}
STEP: Json = {
    "event_id": EVENT_ID,
    "status": "created",
    "timestamp": "2026-11-02T16:00:00.000Z",
    "source": "api",
    "location": None,
    "notes": None,
    "recorded_at": "2026-11-02T16:00:00.118Z",
}
SHIPMENT: Json = {
    "tracking_number": NUMBER,
    "client_id": "client_001",
    "origin": PLACE,
    "destination": PLACE,
    "package": {"weight_kg": 2.5},
    "current_status": "created",
    "status_history": [STEP],
    "version": 1,
    "created_at": "2026-11-02T16:00:00.000Z",
    "updated_at": "2026-11-02T16:00:00.000Z",
}
EVENT: Json = {
    "event_id": EVENT_ID,
    "tracking_number": NUMBER,
    "client_id": "client_001",
    "status": "picked_up",
    "timestamp": "2026-11-02T16:50:00.000Z",
    "source": "driver-017",
    "location": None,
    "notes": None,
    "outcome": "applied",
    "reason": None,
    "attempts": 1,
    "duplicates": 0,
    "conflicts": 0,
    "partition": 0,
    "offset": 7,
    "received_at": "2026-11-02T16:50:00.002Z",
    "recorded_at": "2026-11-02T16:50:00.009Z",
    "submitted_by": "driver_user_001",
}
ACTION: Json = {
    "id": "act_1",
    "at": "2026-11-02T17:00:00.000Z",
    "by": "ana",
    "action": "dead_letter.replayed",
    "target": "dl_0_1",
    "reason": None,
    "details": {},
}
QUARANTINED: Json = {
    "tracking_number": NUMBER,
    "reason": "a bug",
    "since": "2026-11-02T16:50:02.118Z",
    "requested_by": "ana",
}
PARTITION: Json = {
    "topic": "shipments.events",
    "partition": 7,
    "owner": "processor-2",
    "epoch": 41,
    "next_offset": 48211,
    "halted": True,
    "reason": "100 dead letters in a row",
    "since": "2026-11-02T16:50:02.118Z",
    "resume_from": "committed",
    "skip_to": None,
    "resumption": None,
}
LISTED_PARTITION: Json = PARTITION | {"lag": 3, "oldest_waiting_at": "2026-11-02T16:50:02.118Z"}
ENDPOINT: Json = {
    "id": "wh_mfzwi3ldpn5xk2lqnrsw",
    "client_id": "client_001",
    "url": "https://erp.example/waybill",
    "types": ["shipment.*"],
    "payload": "full",
    "ordering": "none",
    "rate_per_s": None,
    "description": None,
    "state": "paused",
    "paused_reason": "gone",
    "paused_at": "2026-11-02T16:50:02.118Z",
    "failing_since": None,
    "created_by": "ana",
    "created_at": "2026-11-01T16:50:02.118Z",
    "updated_at": "2026-11-02T16:50:02.118Z",
}
ATTEMPT: Json = {
    "at": "2026-11-02T14:15:02.140Z",
    "status_code": 503,
    "duration_ms": 48,
    "error": "status",
    "response": "try \u001b[31mlater",
}
DELIVERY: Json = {
    "id": "msg_2kzv5m7rj3w6q4ynx5gd7tbhsapc2fue",
    "endpoint_id": ENDPOINT["id"],
    "created_at": "2026-11-02T14:15:02.131Z",
    "updated_at": "2026-11-02T14:15:02.140Z",
    "type": "shipment.picked_up",
    "tracking_number": NUMBER,
    "version": 2,
    "state": "pending",
    "next_attempt_at": "2026-11-02T14:15:07.512Z",
}
REPLAY: Json = {
    "id": "rp_nb2hi4dthixs65ltmvzq",
    "endpoint_id": ENDPOINT["id"],
    "from": "2026-11-01T00:00:00.000Z",
    "to": "2026-11-02T00:00:00.000Z",
    "states": ["failed", "held"],
    "types": ["*"],
    "state": "running",
    "matched": 0,
    "sent": 0,
    "failed": 0,
    "created_at": "2026-11-02T14:15:02.131Z",
}
USER: Json = {
    "username": "dock",
    "role": "producer",
    "client_id": None,
    "disabled": False,
    "allowed_sources": ["dock-"],
    "seeded": False,
    "created_at": "2026-11-01T16:50:02.118Z",
    "updated_at": "2026-11-02T16:50:02.118Z",
}


def dead_letter(index: int, *, partition: int = 0, state: str = "open", event_id: str | None = None) -> Json:
    """Return a dead letter; the higher its index, the later it stood in the log."""
    discard = {"by": "luis", "at": "2026-11-02T17:00:00.000Z", "reason": "a self-test"}
    return {
        "id": f"dl_{partition}_{index}",
        "recorded_at": "2026-11-02T16:50:00.118Z",
        "state": state,
        "reason": "unreadable",
        "tracking_number": None,
        "error": "not JSON",
        "attempts": 1,
        "topic": "shipments.events",
        "partition": partition,
        "offset": index,
        "timestamp": f"2026-11-02T16:50:{index:02}.000Z",
        "key": None,
        "event_id": event_id,
        "value_preview": "…",
        "headers": [],
        "replay_of": None,
        "replays": 0,
        "last_replay": None,
        "discard": discard if state == "discarded" else None,
    }
