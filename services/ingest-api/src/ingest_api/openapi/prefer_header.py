"""The headers `Prefer` (RFC 7240) and `traceparent`: any string, because invalid values are ignored."""

from typing import Final

from httpkit.openapi.operations import TEXT, Parameter

WAIT: Final = Parameter(
    "Prefer",
    "header",
    "`wait=N`: wait up to N seconds, at most 30, and return the outcome.",
    TEXT,
    "wait=2",
)
HANDLING: Final = Parameter(
    "Prefer",
    "header",
    "`handling=lenient`: queue the valid events of the batch, and list the rejected ones.",
    TEXT,
    "handling=lenient",
)
TRACEPARENT: Final = Parameter(
    "traceparent",
    "header",
    "W3C Trace Context; it is sent to Kafka with the event.",
    TEXT,
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)
