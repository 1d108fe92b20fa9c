"""What single parameters of a query may look like; whatever is not this is 400 and reaches no store."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field, PlainValidator, WithJsonSchema

from domain.status import Status
from domain.timestamps import parse_timestamp
from domain.tracking_number import ALPHABET, PATTERN, PREFIX

MAX_ID_LENGTH: Final = 128

_INSTANT: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)


def _instant(text: str) -> datetime:
    if _INSTANT.fullmatch(text) is None:
        raise ValueError("an instant is like 2026-03-01T12:00:00Z or 2026-03-01T12:00:00%2B02:00 (RFC 3339)")
    try:
        return parse_timestamp(text.upper())
    except (ValueError, OverflowError) as error:
        raise ValueError(f"no such instant: {error}") from error


def _statuses(text: str) -> tuple[Status, ...]:
    names = text.split(",")
    if not set(names) <= set(Status):
        raise ValueError(f"one or several, separated by commas, of {_listed(Status)}")
    return tuple(status for status in Status if status in names)


def _listed(values: Iterable[str]) -> str:
    return ", ".join(values)


def _schema(**schema: Any) -> WithJsonSchema:  # noqa: ANN401  # JSON schema
    return WithJsonSchema(schema)


Instant = Annotated[
    datetime,
    PlainValidator(_instant),
    _schema(type="string", format="date-time", description="RFC 3339 with an offset; milliseconds count."),
]
Statuses = Annotated[
    tuple[Status, ...],
    PlainValidator(_statuses),
    _schema(
        type="array",
        items={"type": "string", "enum": list(Status)},
        minItems=1,
        description="One status or several, separated by commas.",
    ),
]
# Whatever a client or a source may be called, but none of what an operator of the store is written with.
Name = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH, pattern=r'^[^\x00-\x1f\x7f"$\[\]{}]+$')]
NumberPrefix = Annotated[
    str,
    Field(
        pattern=f"^{PREFIX}[{ALPHABET}]{{1,12}}$",
        description=f"How the tracking number begins: `{PREFIX}` and at least one character more.",
    ),
]
FullNumber = Annotated[str, Field(pattern=f"^{PATTERN}$")]
Reason = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,63}$")]
Cursor = Annotated[
    str,
    Field(
        min_length=1,
        max_length=512,
        description="`next_cursor` of the page before, with the same filters; in the place of `offset`.",
    ),
]
