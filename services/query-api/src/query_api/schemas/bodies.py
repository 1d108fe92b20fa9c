"""Request bodies of query-api: users, passwords, API keys, and the actions of operators."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_validator,
)

from domain.access.permissions import Role
from domain.processing.halts import Start
from httpkit.openapi.identifiers import ClientId
from httpkit.request.text_forms import text_pattern
from query_api.schemas.passwords import password_fault

MOST_SOURCES: Final = 20
MOST_SOURCES_BYTES: Final = 2_000

_CONTROL: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_NOT_BLANK: Final = f"^[^{_CONTROL}]*[^{_CONTROL}\\s][^{_CONTROL}]*$"


def client_fault(role: Role, client_id: str | None) -> str | None:
    """Return the fault of a user's `client_id` for its role, or None."""
    if role is Role.CLIENT and client_id is None:
        return "a user of role client needs one"
    if role is not Role.CLIENT and client_id is not None:
        return "only users of role client have one"
    return None


def sources_fault(role: Role, allowed_sources: Sequence[str]) -> str | None:
    """Return the fault of a user's `allowed_sources` for its role, or None."""
    if role is not Role.PRODUCER and allowed_sources:
        return "only users of role producer have some"
    if len(json.dumps(allowed_sources)) > MOST_SOURCES_BYTES:
        return f"together longer than {MOST_SOURCES_BYTES} bytes, with quotes and escapes: tokens carry them"
    return None


def _checked_password(password: str) -> str:
    return str(_checked(password, password_fault(password)))


def _checked(value: Any, fault: str | None) -> Any:  # noqa: ANN401  # returned unchanged
    if fault is not None:
        raise ValueError(fault)
    return value


# Visible ASCII without characters special in URLs, in their templates, or in `Authorization: Basic`.
Username = Annotated[
    str,
    Field(min_length=1, max_length=64),
    *text_pattern(
        r'^[!"$&-.0-9;->@-\[\]-z|~]+$',
        "must be visible ASCII characters without blanks and # % / : ? \\ { }",
    ),
]
Password = Annotated[str, AfterValidator(_checked_password), Field(max_length=1024)]
ReasonText = Annotated[
    str,
    Field(min_length=1, max_length=500),
    *text_pattern(_NOT_BLANK, "must say something, without control characters and line breaks"),
]
SourceStart = Annotated[
    str,
    Field(min_length=1, max_length=64),
    *text_pattern(f"^[^{_CONTROL}]+$", "must have no control characters and line breaks"),
]
AllowedSources = Annotated[tuple[SourceStart, ...], Field(max_length=MOST_SOURCES)]


class NewUser(BaseModel):
    """A user to create."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    username: Username
    password: Password = Field(repr=False)
    role: Role
    client_id: ClientId | None = Field(default=None, validate_default=True)
    allowed_sources: AllowedSources | None = None

    @field_validator("username")
    @classmethod
    def _is_no_path(cls, username: str) -> str:
        return str(_checked(username, "a step in a path" if username in {".", ".."} else None))

    @field_validator("password")
    @classmethod
    def _is_not_the_name(cls, password: str, info: ValidationInfo) -> str:
        return str(_checked(password, password_fault(password, info.data.get("username"))))

    @field_validator("client_id")
    @classmethod
    def _client_id_fits_role(cls, client_id: str | None, info: ValidationInfo) -> str | None:
        role = info.data.get("role")
        checked: str | None = _checked(client_id, None if role is None else client_fault(role, client_id))
        return checked

    @field_validator("allowed_sources")
    @classmethod
    def _sources_fit_role(
        cls, allowed_sources: tuple[str, ...] | None, info: ValidationInfo
    ) -> tuple[str, ...] | None:
        role = info.data.get("role")
        fault = None if role is None else sources_fault(role, allowed_sources or ())
        checked: tuple[str, ...] | None = _checked(allowed_sources, fault)
        return checked


class UserChange(BaseModel):
    """Fields of a user to change; absent or null fields are left unchanged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role | None = None
    client_id: ClientId | None = None
    password: Password | None = Field(default=None, repr=False)
    disabled: StrictBool | None = None
    allowed_sources: AllowedSources | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if all(value is None for _, value in self):
            raise ValueError("say at least one of role, client_id, password, disabled, allowed_sources")
        return self


class PasswordChange(BaseModel):
    """The caller's current password, and the new one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    current_password: Annotated[str, Field(min_length=1, max_length=1024, repr=False)]
    new_password: Password = Field(repr=False)


class DiscardRequest(BaseModel):
    """Reason for discarding a dead letter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: ReasonText


class ResumeRequest(BaseModel):
    """Reason for resuming a partition, and the position to resume from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: ReasonText
    start: Annotated[Start, Field(alias="from")] = Start.COMMITTED


class QuarantineRequest(BaseModel):
    """Reason for quarantining a shipment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: ReasonText


class TokenRequest(BaseModel):
    """An API key to exchange for a token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_key: Annotated[str, Field(min_length=1, max_length=256, repr=False)]


NEW_USER: Final = TypeAdapter(NewUser)
USER_CHANGE: Final = TypeAdapter(UserChange)
PASSWORD_CHANGE: Final = TypeAdapter(PasswordChange)
TOKEN_REQUEST: Final = TypeAdapter(TokenRequest)
DISCARD: Final = TypeAdapter(DiscardRequest)
RESUME: Final = TypeAdapter(ResumeRequest)
QUARANTINE: Final = TypeAdapter(QuarantineRequest)
