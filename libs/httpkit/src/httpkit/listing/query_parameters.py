"""Types of the query parameters that lists have in common."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from domain.timestamps import to_milliseconds
from httpkit.request.instants import parse_instant


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
