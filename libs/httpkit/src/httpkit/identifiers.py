"""Tracking numbers, event ids and instants in the contract: their form, and examples that are valid."""

from typing import Annotated, Final

from pydantic import Field, TypeAdapter, WithJsonSchema

from domain.tracking_number import PATTERN
from httpkit.operations import Parameter

NUMBER: Final = "99M-GMPWC6W7SP2G"
EVENT: Final = f"evt_{NUMBER}_01a19c9d0aa0_jwjxcnqbgenns"
DEAD_LETTER: Final = "dl_7_48213"
CREATION: Final = f"evt_{NUMBER}_created"

# No formats of our own: validators that are strict refuse a schema with one that nobody has told them.
TrackingNumberText = Annotated[
    str,
    WithJsonSchema({"type": "string", "pattern": f"^{PATTERN}$", "examples": [NUMBER]}),
]
EventIdText = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^evt_{PATTERN}_(created|[0-9a-f]{{12}}_[a-z2-7]{{13}})$",
            "examples": [EVENT],
        }
    ),
]
DeadLetterIdText = Annotated[str, Field(pattern=r"^dl_[0-9]{1,5}_[0-9]{1,19}$", examples=[DEAD_LETTER])]
Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]

IN_PATH: Final = Parameter(
    "tracking_number",
    "path",
    "A shipment, by its tracking number.",
    TypeAdapter(TrackingNumberText),
    NUMBER,
)
EVENT_IN_PATH: Final = Parameter(
    "event_id", "path", "An event, by the id it was accepted with.", TypeAdapter(EventIdText), EVENT
)
DEAD_LETTER_IN_PATH: Final = Parameter(
    "dead_letter_id",
    "path",
    "A dead letter, by its place in the topic of dead letters.",
    TypeAdapter(DeadLetterIdText),
    DEAD_LETTER,
)
