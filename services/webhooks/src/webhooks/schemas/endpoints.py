"""Request bodies and the query of endpoints."""

from collections.abc import Sequence
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from domain.webhooks.endpoint import ALL_TYPES, EndpointState, Ordering, Payload, can_match
from domain.webhooks.message import MESSAGE_TYPES
from httpkit.listing.list_queries import CursorQuery
from httpkit.openapi.identifiers import ClientId, Name
from httpkit.request.texts import LINE_PATTERN, require_line

MOST_TYPES: Final = 20
MOST_PER_S: Final = 1_000.0
LONGEST_URL: Final = 2_048
LONGEST_DESCRIPTION: Final = 256
LONGEST_GRACE_S: Final = 604_800
DEFAULT_GRACE_S: Final = 86_400
BODY_LIMIT: Final = 16 * 1024

_CLOSED: Final = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
_NAMES: Final = ", ".join(MESSAGE_TYPES)


def _known(pattern: str) -> str:
    if not can_match(pattern):
        raise ValueError(f"matches no type: there are {_NAMES}; a * at the end stands for any rest")
    return pattern


def _once_each(patterns: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(patterns))


TypePattern = Annotated[
    str,
    Field(
        strict=True,
        min_length=1,
        max_length=64,
        json_schema_extra={"pattern": r"^[a-z._]*\*?$"},
        examples=["shipment.*"],
    ),
    AfterValidator(_known),
]
TypePatterns = Annotated[
    list[TypePattern], Field(min_length=1, max_length=MOST_TYPES), AfterValidator(_once_each)
]
Address = Annotated[
    str,
    Field(
        strict=True,
        min_length=1,
        max_length=LONGEST_URL,
        json_schema_extra={"format": "uri", "pattern": LINE_PATTERN},
        examples=["https://example.com/waybill"],
    ),
    AfterValidator(require_line),
]
Rate = Annotated[float, Field(strict=True, ge=0.1, le=MOST_PER_S)]
Description = Annotated[
    str,
    Field(strict=True, max_length=LONGEST_DESCRIPTION, json_schema_extra={"pattern": LINE_PATTERN}),
    AfterValidator(require_line),
]


class NewEndpoint(BaseModel):
    """An endpoint to create. A null member is the same as an absent one.

    `types` are the messages that it wants: one of them, or a beginning and `*`; all by default. `client_id`
    is the client whose shipments it is about: the caller's own by default; an admin's without one is about
    those of every client. `payload` is `full` by default; `thin` messages have the tracking number and the
    version alone. With the `ordering` `per_shipment`, the messages of a shipment are sent one after another,
    in the order of its versions.
    """

    model_config = _CLOSED

    url: Address
    types: TypePatterns | None = None
    client_id: ClientId | None = None
    payload: Payload | None = None
    ordering: Ordering | None = None
    rate_per_s: Rate | None = None
    description: Description | None = None

    @property
    def wanted_types(self) -> tuple[str, ...]:
        """The types, with the default."""
        return tuple(self.types or ALL_TYPES)


class EndpointChange(BaseModel):
    """Members of an endpoint to change; absent ones are left unchanged.

    `null` removes `rate_per_s` and `description`; for the others it is the same as leaving them out.
    """

    model_config = _CLOSED

    url: Address | None = None
    types: TypePatterns | None = None
    payload: Payload | None = None
    ordering: Ordering | None = None
    rate_per_s: Rate | None = None
    description: Description | None = None
    state: EndpointState | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.changes:
            raise ValueError(f"say at least one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def changes(self) -> dict[str, object]:
        """The members to change, with their new values."""
        return {
            name: value
            for name in type(self).model_fields
            if (value := getattr(self, name)) is not None or (name in _REMOVABLE & self.model_fields_set)
        }


_REMOVABLE: Final = frozenset({"rate_per_s", "description"})


class SecretRotation(BaseModel):
    """Grace of a rotation: seconds for which the secrets of before sign, too; with 0 they end at once."""

    model_config = _CLOSED

    grace_s: Annotated[int, Field(strict=True, ge=0, le=LONGEST_GRACE_S)] | None = DEFAULT_GRACE_S

    @property
    def seconds(self) -> int:
        """The grace, with the default for null."""
        return DEFAULT_GRACE_S if self.grace_s is None else self.grace_s


class EndpointQuery(CursorQuery):
    """Filters of endpoints."""

    client_id: Annotated[Name | None, Field(description="Only the endpoints of this client.")] = None
    state: Annotated[EndpointState | None, Field(description="Only endpoints in this state.")] = None


NEW_ENDPOINT: Final = TypeAdapter(NewEndpoint)
ENDPOINT_CHANGE: Final = TypeAdapter(EndpointChange)
ROTATION: Final = TypeAdapter(SecretRotation)
ENDPOINT_QUERY: Final = TypeAdapter(EndpointQuery)
