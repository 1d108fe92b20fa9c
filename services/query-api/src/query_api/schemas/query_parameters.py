"""Types of single query parameters."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from domain.shipments.status import Status
from domain.shipments.tracking_number import PREFIX, READ_CHARACTERS, canonical
from httpkit.request.text_forms import text_pattern


def _statuses(text: str) -> tuple[Status, ...]:
    names = text.split(",")
    if not set(names) <= set(Status):
        raise ValueError(f"one or several, separated by commas, of {_listed(Status)}")
    return tuple(status for status in Status if status in names)


def _listed(values: Iterable[str]) -> str:
    return ", ".join(values)


def _schema(**schema: Any) -> WithJsonSchema:  # noqa: ANN401  # JSON schema
    return WithJsonSchema(schema)


Statuses = Annotated[
    tuple[Status, ...],
    PlainValidator(_statuses),
    _schema(
        type="array",
        items={"type": "string", "enum": list(Status)},
        minItems=1,
        description="One or more statuses, separated by commas.",
    ),
]
NumberPrefix = Annotated[
    str,
    *text_pattern(
        f"^99[Mm]-{READ_CHARACTERS}{{1,12}}$",
        f"must be how a tracking number begins: {PREFIX} and 1 to 12 letters and digits",
    ),
    AfterValidator(canonical),
    Field(description=f"Prefix of the tracking number: `{PREFIX}` and at least one more character."),
]
Reason = Annotated[
    str, *text_pattern(r"^[a-z][a-z_]{0,63}$", "must be the name of a reason, such as unreadable")
]
