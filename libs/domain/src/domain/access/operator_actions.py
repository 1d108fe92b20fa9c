"""Operator actions: the record of who did what to what, when and why."""

from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import NewType

ActionId = NewType("ActionId", str)

Detail = str | int | bool | None


class ActionKind(StrEnum):
    """The kind of an action, as `thing.verb`; the thing decides what the target is.

    The target of a `dead_letter` is its id, of a `partition` its `topic/number`, of a `key` its text, of a
    `user` the user name.
    """

    DEAD_LETTER_DISCARDED = "dead_letter.discarded"
    DEAD_LETTER_REPLAYED = "dead_letter.replayed"
    KEY_QUARANTINED = "key.quarantined"
    KEY_RELEASED = "key.released"
    PARTITION_RESUMED = "partition.resumed"
    USER_API_KEY_CREATED = "user.api_key_created"
    USER_API_KEY_REMOVED = "user.api_key_removed"
    USER_CHANGED = "user.changed"
    USER_CREATED = "user.created"
    USER_PASSWORD_CHANGED = "user.password_changed"  # noqa: S105  # an action, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAction:
    """One action of an operator.

    Attributes:
        id: the same for the same action, however often it is recorded: see `action_id`.
        at: when it was done, not when it was recorded.
        by: the user who did it.
        target: what it was done to.
        reason: why, in the operator's words; None where none is required.
        details: further facts, as plain values.
    """

    id: ActionId
    at: datetime
    by: str
    action: ActionKind
    target: str
    reason: str | None = None
    details: Mapping[str, Detail] = field(default_factory=dict)


def action_id(kind: ActionKind, *parts: str) -> ActionId:
    """Return the id of an action; `parts` distinguish it from all others of its kind."""
    digest = blake2b("\0".join((kind, *parts)).encode(), digest_size=15).digest()
    return ActionId(f"act_{b32encode(digest).decode().lower()}")
