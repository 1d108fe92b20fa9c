"""Types of the query parameters that lists have in common."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from domain.shipments.tracking_number import PREFIX, READ_PATTERN, canonical
from domain.timestamps import to_milliseconds
from httpkit.request.instants import parse_instant
from httpkit.request.text_forms import text_pattern


def _instant(text: str) -> datetime:
    try:
        return to_milliseconds(parse_instant(text))
    except OverflowError as error:
        raise ValueError("is no instant of the calendar in UTC") from error


Instant = Annotated[
    datetime,
    PlainValidator(_instant),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "description": "RFC 3339 with an offset, to the millisecond.",
        }
    ),
]
Cursor = Annotated[
    str,
    Field(
        min_length=1,
        max_length=512,
        description="`next_cursor` of the previous page, with the same filters; replaces `offset`.",
    ),
]
FullNumber = Annotated[
    str,
    *text_pattern(f"^{READ_PATTERN}$", f"must be a tracking number: {PREFIX} and 12 letters and digits"),
    AfterValidator(canonical),
]
