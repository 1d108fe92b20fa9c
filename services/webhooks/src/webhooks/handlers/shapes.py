"""Endpoints, attempts and replays in the shape of the API."""

from collections.abc import Mapping
from typing import Any

from domain.webhooks.delivery import Attempt
from domain.webhooks.endpoint import Endpoint
from webhooks.stores.replays import Replay, ReplayProgress


def endpoint_to_json(endpoint: Endpoint) -> dict[str, Any]:
    """Return an endpoint, without its secrets."""
    return {
        "id": endpoint.endpoint_id,
        "client_id": endpoint.client_id,
        "url": endpoint.url,
        "types": list(endpoint.types),
        "payload": endpoint.payload,
        "ordering": endpoint.ordering,
        "rate_per_s": endpoint.rate_per_s,
        "description": endpoint.description,
        "state": endpoint.state,
        "paused_reason": endpoint.paused_reason,
        "paused_at": endpoint.paused_at,
        "failing_since": endpoint.failing_since,
        "created_by": endpoint.created_by,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
    }


def delivery_to_json(delivery: Mapping[str, Any]) -> dict[str, Any]:
    """Return a delivery as it is read from the store, with `due_at` under its name in the API."""
    return {("next_attempt_at" if name == "due_at" else name): value for name, value in delivery.items()}


def attempt_to_json(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt."""
    return {
        "at": attempt.at,
        "status_code": attempt.status_code,
        "duration_ms": attempt.duration_ms,
        "error": attempt.error,
        "response": attempt.response,
    }


def replay_to_json(replay: Replay, progress: ReplayProgress) -> dict[str, Any]:
    """Return a replay and how far it has come."""
    return {
        "id": replay.replay_id,
        "endpoint_id": replay.endpoint_id,
        "from": replay.start,
        "to": replay.end,
        "states": list(replay.states),
        "types": list(replay.types),
        "state": replay.state,
        "matched": progress.matched,
        "sent": progress.sent,
        "failed": progress.failed,
        "created_at": replay.created_at,
    }
