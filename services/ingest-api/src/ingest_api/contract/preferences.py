"""What a caller may prefer (RFC 7240) and pass on: headers that several writes share."""

from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from httpkit.operations import Parameter

WAIT: Final = Parameter(
    "Prefer",
    "header",
    "`wait=N`: wait up to N seconds, at most 30, for the outcome, and answer with it.",
    TypeAdapter(Annotated[str, Field(pattern=r"^wait=[0-2]$")]),
    "wait=2",
)
HANDLING: Final = Parameter(
    "Prefer",
    "header",
    "`handling=lenient`: queue what is good of the batch, and list the rest.",
    TypeAdapter(Annotated[str, Field(pattern=r"^handling=(lenient|strict)$")]),
    "handling=lenient",
)
TRACEPARENT: Final = Parameter(
    "traceparent",
    "header",
    "W3C Trace Context; it goes with the event into Kafka.",
    TypeAdapter(Annotated[str, Field(pattern=r"^00-[0-9a-f]{31}[1-9a-f]-[0-9a-f]{15}[1-9a-f]-0[01]$")]),
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)
