"""The AsyncAPI 3 document: the topics, the live streams, and their messages."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from docgen import stream_channels
from docgen.messages import Change
from httpkit.openapi.identifiers import NUMBER
from httpkit.openapi.schemas import schemas_of
from messaging.codec import AMENDED, CHECKPOINT_REPORTED, CONTENT_TYPE, CREATED, RETRACTED, STATUS_REPORTED
from messaging.dead_letters.records import PREFIX, REPLAY_OF, REPLAYED_BY, UNREAD
from messaging.settings import KafkaSettings
from messaging.topics import Topics, declaration

Json = dict[str, Any]

_DOES: Final = {"send": "writes to", "receive": "reads from"}
BINDING_VERSION: Final = "0.5.0"
GOLDEN: Final = Path(__file__).parents[4] / "tests/unit/messaging/golden"
KEY: Final[Json] = {"type": "string", "description": "The tracking number.", "examples": [NUMBER]}


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of message.

    Attributes:
        golden: files that the codec's tests hold it to, shown as examples.
    """

    summary: str
    model: TypeAdapter[Any]
    golden: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Channel:
    """One topic, as seen from Waybill: `send` or `receive`."""

    topic: str
    summary: str
    messages: tuple[str, ...]
    does: tuple[str, ...]


MESSAGES: Final[Mapping[str, Message]] = {
    "shipmentCreated": Message("Command to create a shipment.", CREATED, ("created", "created_bare")),
    "shipmentAmended": Message("Command to amend a shipment.", AMENDED, ("amended", "amended_bare")),
    "statusReported": Message(
        "Command to report a status of a shipment.", STATUS_REPORTED, ("status", "status_bare", "cancelled")
    ),
    "checkpointReported": Message(
        "Command to report a checkpoint of a shipment.",
        CHECKPOINT_REPORTED,
        ("checkpoint", "checkpoint_bare"),
    ),
    "eventRetracted": Message(
        "Command to take the last event of a shipment back.", RETRACTED, ("retracted", "retracted_own")
    ),
    "shipmentChanged": Message(
        "A change was applied; at least once, with a stable id.",
        TypeAdapter(Change),
        ("changed_created", "changed_status", "changed_checkpoint", "changed_amended", "changed_corrected"),
    ),
}
CHANNELS: Final[Mapping[str, Channel]] = {
    "events": Channel(
        Topics().events,
        "All commands, those of one shipment in order.",
        ("shipmentCreated", "shipmentAmended", "statusReported", "checkpointReported", "eventRetracted"),
        ("send", "receive"),
    ),
    "deadLetters": Channel(
        Topics().dead_letters,
        "Records that could not be applied, unchanged, with the reason.",
        ("deadLetter",),
        ("send",),
    ),
    "changes": Channel(Topics().changes, "Every applied change.", ("shipmentChanged",), ("send", "receive")),
    "created": Channel(Topics().created, "Changes that created a shipment.", ("shipmentChanged",), ("send",)),
    "delivered": Channel(
        Topics().delivered, "Changes that delivered a shipment.", ("shipmentChanged",), ("send",)
    ),
    "location": Channel(
        Topics().location, "Changes with the location of a shipment.", ("shipmentChanged",), ("send",)
    ),
}


def asyncapi() -> Json:
    """Return the document."""
    models = {name: message.model for name, message in MESSAGES.items()}
    models[stream_channels.MESSAGE] = stream_channels.CURRENT_STATUS
    schemas, definitions = schemas_of(models.items())
    messages = {name: _message(name, message, schemas[name]) for name, message in MESSAGES.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Waybill",
            "version": version("waybill-messaging"),
            "description": "CloudEvents 1.0 in structured JSON mode, keyed by tracking number.",
            "contact": {"name": "Waybill"},
            "license": {"name": "MIT"},
            "tags": [{"name": "shipments", "description": "Events of shipments."}],
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "kafka": {"host": KafkaSettings.model_fields["brokers"].default, "protocol": "kafka"},
            stream_channels.SERVER: stream_channels.stream_server(),
        },
        "channels": {name: _channel(channel) for name, channel in CHANNELS.items()}
        | stream_channels.stream_channels(),
        "operations": {
            f"{action}{name[0].upper()}{name[1:]}": _operation(name, channel, action)
            for name, channel in CHANNELS.items()
            for action in channel.does
        }
        | stream_channels.stream_operations(),
        "components": {
            "messages": messages
            | {"deadLetter": _dead_letter()}
            | {stream_channels.MESSAGE: stream_channels.stream_message(schemas[stream_channels.MESSAGE])},
            "schemas": definitions,
        },
    }


def _message(name: str, message: Message, payload: Json) -> Json:
    examples = [json.loads((GOLDEN / f"{stem}.json").read_bytes()) for stem in message.golden]
    return {
        "name": name,
        "summary": message.summary,
        "contentType": CONTENT_TYPE,
        "headers": _headers("content-type", "traceparent", "reply-to", REPLAY_OF, REPLAYED_BY),
        "payload": payload,
        "examples": [
            {"name": stem, "payload": example} for stem, example in zip(message.golden, examples, strict=True)
        ],
        "bindings": {"kafka": {"key": KEY, "bindingVersion": BINDING_VERSION}},
    }


def _dead_letter() -> Json:
    fields = ("reason", "error", "topic", "partition", "offset", "timestamp", "attempts", UNREAD)
    return {
        "name": "deadLetter",
        "summary": "The raw bytes of a record and its headers; dlq-* hold its position and the error.",
        "contentType": "application/octet-stream",
        "headers": _headers(*(f"{PREFIX}{name}" for name in fields), REPLAY_OF, REPLAYED_BY),
        "payload": {},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": "The raw key."},
                "bindingVersion": BINDING_VERSION,
            }
        },
    }


def _headers(*names: str) -> Json:
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}}


def _channel(channel: Channel) -> Json:
    topic = declaration(channel.topic, KafkaSettings.model_construct())
    configuration: Json = {
        name: int(value) if value.isdigit() else value for name, value in topic.topic_configs.items()
    }
    configuration["cleanup.policy"] = [configuration["cleanup.policy"]]
    configuration["unclean.leader.election.enable"] = False
    return {
        "address": channel.topic,
        "summary": channel.summary,
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in channel.messages},
        "bindings": {
            "kafka": {
                "topic": channel.topic,
                "partitions": topic.num_partitions,
                "replicas": topic.replication_factor,
                "topicConfiguration": configuration,
                "bindingVersion": BINDING_VERSION,
            }
        },
    }


def _operation(name: str, channel: Channel, action: str) -> Json:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": channel.summary,
        "description": f"Waybill {_DOES[action]} `{channel.topic}`.",
        "messages": [{"$ref": f"#/channels/{name}/messages/{each}"} for each in channel.messages],
    }
