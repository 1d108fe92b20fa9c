"""What operators do by hand, as it is kept: who did what to what, when and why."""

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
    """What was done, as `thing.deed`; what the target is goes with the thing.

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
    USER_PASSWORD_CHANGED = "user.password_changed"  # noqa: S105  # a deed, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAction:
    """One deed of an operator.

    Attributes:
        id: the same for the same deed, however often it is told: see `action_id`.
        at: when it was done, not when it was noted.
        by: the user who did it.
        target: what it was done to.
        reason: why, in the operator's words; None where nobody asks for one.
        details: what else is worth knowing, as plain values.
    """

    id: ActionId
    at: datetime
    by: str
    action: ActionKind
    target: str
    reason: str | None = None
    details: Mapping[str, Detail] = field(default_factory=dict)


def action_id(kind: ActionKind, *told: str) -> ActionId:
    """Return the id of the deed that `told` tells apart from all others of its kind."""
    digest = blake2b("\0".join((kind, *told)).encode(), digest_size=15).digest()
    return ActionId(f"act_{b32encode(digest).decode().lower()}")
