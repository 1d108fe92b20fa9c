"""Schemathesis hooks for facts that are not in the document: values of our own formats, and its address.

Loaded by its command, by name (`SCHEMATHESIS_HOOKS`).
"""

from datetime import UTC, datetime, timedelta, timezone
from functools import partialmethod
from typing import Any

import schemathesis
from hypothesis import strategies
from pydantic import TypeAdapter
from requests.adapters import HTTPAdapter

from domain.shipments.event_identity import event_id
from domain.shipments.status import Status
from domain.shipments.tracking_number import ENTROPY_BYTES, tracking_number_from
from httpkit.openapi.identifiers import EventIdText, TrackingNumberIn, TrackingNumberText

# Failed logins count against an address: that of the other tests is to stay without blame.
ADDRESS = "127.0.0.77"

SEEDED = ("admin_user", "client_user_001", "client_user_002", "driver_user_001")

OFFSETS = strategies.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = strategies.datetimes(
    datetime(1970, 1, 2),  # noqa: DTZ001  # hypothesis asks for naive bounds
    datetime(2026, 1, 1),  # noqa: DTZ001
    timezones=OFFSETS,
)
NUMBERS = strategies.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES).map(tracking_number_from)
EVENT_IDS = strategies.builds(
    event_id, NUMBERS, INSTANTS.map(lambda instant: instant.astimezone(UTC)), strategies.just("scanner-1")
)


NUMBER_FORMAT, EVENT_FORMAT = "tracking-number", "event-id"
FORMATS = {
    TypeAdapter(TrackingNumberText).json_schema()["pattern"]: NUMBER_FORMAT,
    TypeAdapter(TrackingNumberIn).json_schema()["pattern"]: NUMBER_FORMAT,
    TypeAdapter(EventIdText).json_schema()["pattern"]: EVENT_FORMAT,
}

# The document describes a stream as text; schemathesis takes the schema for that of each event, taken apart.
STREAM = "text/event-stream"
STATUS_CHANGE = {
    "type": "object",
    "required": ["version", "current_status"],
    "additionalProperties": False,
    "properties": {
        "version": {"type": "integer", "minimum": 1},
        "current_status": {"enum": [str(status) for status in Status]},
    },
}
STREAMED = {
    "type": "object",
    "required": ["id", "data"],
    "properties": {
        "id": {"type": "string", "pattern": "^[1-9][0-9]*$"},
        "event": {"const": "message"},
        "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": STATUS_CHANGE},
    },
}

HTTPAdapter.init_poolmanager = partialmethod(  # type: ignore[assignment]  # its sessions are its own
    HTTPAdapter.init_poolmanager, source_address=(ADDRESS, 0)
)
schemathesis.openapi.format(NUMBER_FORMAT, NUMBERS)
schemathesis.openapi.format(EVENT_FORMAT, EVENT_IDS)
schemathesis.openapi.format("date-time", INSTANTS.map(datetime.isoformat))


@schemathesis.hook
def before_load_schema(_context: object, document: dict[str, Any]) -> None:
    """Register our own formats: a pattern cannot express a check character. Describe events of streams."""
    waiting: list[object] = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if isinstance(node.get("pattern"), str) and node["pattern"] in FORMATS:
                node["format"] = FORMATS[node["pattern"]]
            if STREAM in node:
                node[STREAM]["schema"] = STREAMED
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


@schemathesis.hook
def before_call(_context: object, case: schemathesis.Case[Any], _kwargs: object) -> None:
    """Avoid the users of other tests: a list shows them, and the next call would change them."""
    if case.path_parameters.get("username") in SEEDED:
        case.path_parameters["username"] = "nobody"


@schemathesis.serializer("application/x-ndjson", "application/ndjson", "application/jsonl")
def as_it_is(_context: object, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
