"""What a caller may prefer (RFC 7240) and pass on; what cannot be read is passed over, so any text goes."""

from typing import Final

from httpkit.openapi.operations import TEXT, Parameter

WAIT: Final = Parameter(
    "Prefer",
    "header",
    "`wait=N`: wait up to N seconds, at most 30, for the outcome, and answer with it.",
    TEXT,
    "wait=2",
)
HANDLING: Final = Parameter(
    "Prefer",
    "header",
    "`handling=lenient`: queue what is good of the batch, and list the rest.",
    TEXT,
    "handling=lenient",
)
TRACEPARENT: Final = Parameter(
    "traceparent",
    "header",
    "W3C Trace Context; it goes with the event into Kafka.",
    TEXT,
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)
