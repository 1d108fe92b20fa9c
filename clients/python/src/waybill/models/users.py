"""Tokens, users and their API keys."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from waybill.models.base import Model, OrText


class Role(StrEnum):
    """The role of a user. A producer is a driver, a warehouse or a scanner."""

    ADMIN = "admin"
    CLIENT = "client"
    PRODUCER = "producer"


class Token(Model):
    """A token and its lifetime in seconds."""

    token: str = Field(repr=False)
    expires_in: int
    token_type: str


class User(Model):
    """A user account."""

    username: str
    role: OrText[Role]
    client_id: str | None
    disabled: bool
    allowed_sources: tuple[str, ...]
    seeded: bool
    created_at: datetime
    updated_at: datetime


class ApiKey(Model):
    """An API key, without its secret."""

    id: str
    created_at: datetime
    last_used_at: datetime | None


class NewApiKey(Model):
    """An API key, shown this once."""

    id: str
    api_key: str = Field(repr=False)
    created_at: datetime
