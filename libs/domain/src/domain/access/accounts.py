"""Accounts: users, API keys, and the operator actions that record their administration."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.access.operator_actions import ActionKind, Detail, OperatorAction, action_id
from domain.access.permissions import Principal, Role
from domain.timestamps import format_timestamp

COMMAND_LINE: Final = "command line"
"""The actor of what is done from the command line. No user has this name: it has a space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user who may log in. `password_hash` never leaves the services.

    Attributes:
        allowed_sources: beginnings of the sources that a producer may report as; none: any source.
        seeded: made for development, with a password that everybody knows: refused everywhere else.
    """

    username: str
    password_hash: str
    role: Role
    client_id: str | None
    created_at: datetime
    updated_at: datetime
    disabled: bool = False
    allowed_sources: tuple[str, ...] = ()
    seeded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """The stored part of an API key: enough to recognise it, not to use it."""

    key_id: str
    secret_hash: str
    created_at: datetime
    last_used_at: datetime | None = None


def principal_of(user: User) -> Principal:
    """Return the principal that a token of `user` authenticates."""
    return Principal(
        user.username,
        user.role,
        user.client_id,
        allowed_sources=user.allowed_sources,
        seeded=user.seeded,
    )


def may_log_in(user: User, *, development: bool) -> bool:
    """Say whether `user` may log in: not disabled, and not a development user outside of development."""
    return not user.disabled and (development or not user.seeded)


def is_active_admin(user: User, *, development: bool) -> bool:
    """Say whether `user` is an admin who may log in; one such must be left."""
    return user.role is Role.ADMIN and may_log_in(user, development=development)


def user_created(user: User, *, by: str) -> OperatorAction:
    """Return the action of adding a user."""
    return _user_action(ActionKind.USER_CREATED, user, by, _details_of(user))


def user_changed(old: User, new: User, *, by: str) -> OperatorAction:
    """Return the action of changing a user: the changed fields, and whether the password changed."""
    before, after = _details_of(old), _details_of(new)
    changed = {name: value for name, value in after.items() if value != before[name]}
    details: dict[str, Detail] = {}
    for name, value in changed.items():
        details |= {name: value, f"{name}_before": before[name]}
    if old.password_hash != new.password_hash:
        details["password_changed"] = True
    return _user_action(ActionKind.USER_CHANGED, new, by, details)


def own_password_changed(user: User) -> OperatorAction:
    """Return the action of a user who has changed their own password."""
    return _user_action(ActionKind.USER_PASSWORD_CHANGED, user, user.username, {})


def api_key_created(username: str, key: ApiKey, *, by: str) -> OperatorAction:
    """Return the action of creating an API key, named by its id; the key itself is not recorded."""
    kind = ActionKind.USER_API_KEY_CREATED
    return OperatorAction(
        id=action_id(kind, username, key.key_id),
        at=key.created_at,
        by=by,
        action=kind,
        target=username,
        details={"key_id": key.key_id},
    )


def api_key_removed(username: str, key_id: str, *, by: str, at: datetime) -> OperatorAction:
    """Return the action of revoking an API key."""
    kind = ActionKind.USER_API_KEY_REMOVED
    return OperatorAction(
        id=action_id(kind, username, key_id),
        at=at,
        by=by,
        action=kind,
        target=username,
        details={"key_id": key_id},
    )


def _user_action(kind: ActionKind, user: User, by: str, details: Mapping[str, Detail]) -> OperatorAction:
    # Each change of a user has an instant of its own, so its actions have ids of their own.
    return OperatorAction(
        id=action_id(kind, user.username, format_timestamp(user.updated_at)),
        at=user.updated_at,
        by=by,
        action=kind,
        target=user.username,
        details=details,
    )


def _details_of(user: User) -> dict[str, Detail]:
    return {
        "role": user.role.value,
        "client_id": user.client_id,
        "disabled": user.disabled,
        "allowed_sources": ", ".join(user.allowed_sources),
    }
