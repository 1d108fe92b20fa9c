"""Schemas of tracking numbers, event ids and timestamps, with valid examples."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field, TypeAdapter, WithJsonSchema

from domain.shipments.tracking_number import PATTERN, READ_PATTERN, TrackingNumber
from httpkit.openapi.operations import Parameter
from httpkit.request.text_forms import text_pattern
from httpkit.request.texts import LINE_PATTERN, require_line

MAX_NAME_LENGTH: Final = 128
NUMBER: Final = "99M-GMPWC6W7SP2G"
EVENT: Final = f"evt_{NUMBER}_01a19c9d0aa0_jwjxcnqbgenns"
DEAD_LETTER: Final = "dl_7_48213"
CREATION: Final = f"evt_{NUMBER}_created"

# No custom formats: strict validators reject a schema with a format that they do not know.
TrackingNumberText = Annotated[
    str,
    WithJsonSchema({"type": "string", "pattern": f"^{PATTERN}$", "examples": [NUMBER]}),
]
TrackingNumberIn = Annotated[
    TrackingNumber,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^{READ_PATTERN}$",
            "description": "In either case; I and L are read as 1, O as 0. Responses have upper case.",
            "examples": [NUMBER],
        }
    ),
]
EventIdText = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^evt_{PATTERN}_(created|[0-9a-f]{{12}}_[a-z2-7]{{13}})(_retracted)?$",
            "examples": [EVENT],
        }
    ),
]
DeadLetterIdText = Annotated[
    str,
    *text_pattern(r"^dl_[0-9]{1,5}_[0-9]{1,19}$", "must be the id of a dead letter, such as dl_7_48213"),
    Field(examples=[DEAD_LETTER]),
]
# Every name that an event, a shipment or a user may have: filters must accept all of them.
Name = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=MAX_NAME_LENGTH, json_schema_extra={"pattern": LINE_PATTERN}),
    AfterValidator(require_line),
]
# The owner of shipments, which a user of role client is bound to.
ClientId = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=MAX_NAME_LENGTH),
    *text_pattern(r"^[!-~]+$", "must be visible ASCII characters without blanks"),
]
Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]

IN_PATH: Final = Parameter(
    "tracking_number",
    "path",
    "Tracking number of the shipment.",
    TypeAdapter(TrackingNumberIn),
    NUMBER,
)
EVENT_IN_PATH: Final = Parameter(
    "event_id", "path", "Id of the event, as returned when it was accepted.", TypeAdapter(EventIdText), EVENT
)
DEAD_LETTER_IN_PATH: Final = Parameter(
    "dead_letter_id",
    "path",
    "Id of the dead letter: its partition and offset in the dead-letter topic.",
    TypeAdapter(DeadLetterIdText),
    DEAD_LETTER,
)
