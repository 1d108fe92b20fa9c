"""Requests for a topic's id and partitions: aiokafka knows topics by their names alone.

A topic that is deleted and re-created has the same name and another id.
"""

from typing import Any, ClassVar, Final, NamedTuple

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

_NO_ID: Final = bytes(16)
_UNKNOWN_TOPIC: Final = 3


class TopicState(NamedTuple):
    """A topic as the brokers know it.

    Attributes:
        id: a new one at each creation.
        partitions: how many it has; 0 if it does not exist.
    """

    id: bytes
    partitions: int


class _Uuid(AbstractType[bytes]):  # type: ignore[misc]  # aiokafka ships no types
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: Any) -> bytes:  # noqa: ANN401  # a buffer of aiokafka's
        return bytes(data.read(16))


class _MetadataResponse(Response):  # type: ignore[misc]  # aiokafka ships no types
    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class _MetadataRequest(RequestStruct):  # type: ignore[misc]  # aiokafka ships no types
    FLEXIBLE_VERSION: ClassVar[bool] = True
    API_KEY = 3
    API_VERSION = 10
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class TopicRequest(Request[_MetadataRequest]):  # type: ignore[misc]  # aiokafka ships no types
    """A metadata request for one topic; to be sent to any broker, and read by `state_in`."""

    API_KEY = 3

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def build(self, request_struct_class: type[_MetadataRequest]) -> _MetadataRequest:
        """See `Request`."""
        return request_struct_class([(_NO_ID, self._topic, {})], False, False, False, {})  # noqa: FBT003


def state_in(response: Any) -> TopicState | None:  # noqa: ANN401  # aiokafka makes its attributes of the schema
    """Read the response; None if the brokers do not know at the moment."""
    [(error, _, topic_id, _, partitions, *_)] = response.topics
    if error == _UNKNOWN_TOPIC:
        return TopicState(_NO_ID, 0)
    return TopicState(topic_id, len(partitions)) if error == 0 else None
