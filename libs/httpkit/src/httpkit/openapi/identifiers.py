"""Tracking numbers, event ids and instants in the contract: their form, and examples that are valid."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field, TypeAdapter, WithJsonSchema

from domain.shipments.tracking_number import PATTERN, READ_PATTERN
from httpkit.openapi.operations import Parameter
from httpkit.request.text_forms import formed
from httpkit.request.texts import LINE_PATTERN, require_line

MAX_NAME_LENGTH: Final = 128
NUMBER: Final = "99M-GMPWC6W7SP2G"
EVENT: Final = f"evt_{NUMBER}_01a19c9d0aa0_jwjxcnqbgenns"
DEAD_LETTER: Final = "dl_7_48213"
CREATION: Final = f"evt_{NUMBER}_created"

# No formats of our own: validators that are strict refuse a schema with one that nobody has told them.
TrackingNumberText = Annotated[
    str,
    WithJsonSchema({"type": "string", "pattern": f"^{PATTERN}$", "examples": [NUMBER]}),
]
TrackingNumberIn = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^{READ_PATTERN}$",
            "description": "In either case; I and L are read as 1, O as 0. Replies have upper case.",
            "examples": [NUMBER],
        }
    ),
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
DeadLetterIdText = Annotated[
    str,
    *formed(r"^dl_[0-9]{1,5}_[0-9]{1,19}$", "must be the id of a dead letter, such as dl_7_48213"),
    Field(examples=[DEAD_LETTER]),
]
# Whatever an event, a shipment or a user may be called: filters must take all of it.
Name = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=MAX_NAME_LENGTH, json_schema_extra={"pattern": LINE_PATTERN}),
    AfterValidator(require_line),
]
# What a user may be bound to, and so what a shipment may belong to.
ClientId = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=MAX_NAME_LENGTH),
    *formed(r"^[!-~]+$", "must be visible ASCII characters without blanks"),
]
Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]

IN_PATH: Final = Parameter(
    "tracking_number",
    "path",
    "A shipment, by its tracking number.",
    TypeAdapter(TrackingNumberIn),
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
