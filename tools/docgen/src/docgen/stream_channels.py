"""The live streams in the AsyncAPI document: server-sent events over HTTP."""

from typing import Any, Final

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from domain.shipments.status import Status
from httpkit.openapi.identifiers import NUMBER
from httpkit.streaming.event_stream import MEDIA_TYPE

Json = dict[str, Any]

HTTP_BINDING_VERSION: Final = "0.3.0"
SERVER: Final = "gateway"
MESSAGE: Final = "currentStatus"


class CurrentStatus(TypedDict):
    """The data of an event; its id is the version."""

    version: int
    current_status: Status


CURRENT_STATUS: Final = TypeAdapter(CurrentStatus)
_STREAMS: Final = {
    "shipmentStream": (
        "/shipments/{tracking_number}/stream",
        "The status of a shipment live, with a token.",
    ),
    "trackingStream": (
        "/track/{tracking_number}/stream",
        "The status of a shipment live, for its tracking page.",
    ),
}


def stream_server() -> Json:
    """Return the server of the streams."""
    return {"host": "localhost:8080", "protocol": "http", "description": "The gateway."}


def stream_channels() -> dict[str, Json]:
    """Return the channel of each stream."""
    return {name: _channel(address, summary) for name, (address, summary) in _STREAMS.items()}


def stream_operations() -> dict[str, Json]:
    """Return what Waybill does on each of them."""
    return {
        f"send{name[0].upper()}{name[1:]}": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{name}"},
            "summary": summary,
            "description": "The current status at once, then each change; ends by itself within a minute.",
            "messages": [{"$ref": f"#/channels/{name}/messages/{MESSAGE}"}],
            "bindings": {"http": {"method": "GET", "bindingVersion": HTTP_BINDING_VERSION}},
        }
        for name, (_, summary) in _STREAMS.items()
    }


def stream_message(payload: Json) -> Json:
    """Return the message of all streams."""
    return {
        "name": MESSAGE,
        "summary": "The status of a shipment, and the version that has it.",
        "contentType": MEDIA_TYPE,
        "payload": payload,
        "examples": [{"name": "in_transit", "payload": {"version": 4, "current_status": "in_transit"}}],
    }


def _channel(address: str, summary: str) -> Json:
    return {
        "address": address,
        "summary": summary,
        "servers": [{"$ref": f"#/servers/{SERVER}"}],
        "parameters": {"tracking_number": {"description": "Of the shipment.", "examples": [NUMBER]}},
        "messages": {MESSAGE: {"$ref": f"#/components/messages/{MESSAGE}"}},
    }
