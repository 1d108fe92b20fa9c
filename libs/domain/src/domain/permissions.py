"""Who may do what: roles, permissions and ownership, in one table."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Permission(StrEnum):
    """`resource:action`; each route asks for one."""

    DEAD_LETTER_DISCARD = "dead_letter:discard"
    DEAD_LETTER_READ = "dead_letter:read"
    DEAD_LETTER_REPLAY = "dead_letter:replay"
    EVENT_READ = "event:read"
    EVENT_REPORT = "event:report"
    OPERATOR_ACTION_READ = "operator_action:read"
    PARTITION_READ = "partition:read"
    PARTITION_RESUME = "partition:resume"
    QUARANTINE_MANAGE = "quarantine:manage"
    QUARANTINE_READ = "quarantine:read"
    SESSION_END = "session:end"
    SHIPMENT_AMEND = "shipment:amend"
    SHIPMENT_CANCEL = "shipment:cancel"
    SHIPMENT_CREATE = "shipment:create"
    SHIPMENT_READ = "shipment:read"
    USER_MANAGE = "user:manage"
    USER_READ = "user:read"


class Role(StrEnum):
    """What a user is. A producer is a driver, a warehouse or a scanner."""

    ADMIN = "admin"
    CLIENT = "client"
    PRODUCER = "producer"


PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.ADMIN: frozenset(Permission),
        Role.CLIENT: frozenset(
            {
                Permission.EVENT_READ,
                Permission.SESSION_END,
                Permission.SHIPMENT_AMEND,
                Permission.SHIPMENT_CANCEL,
                Permission.SHIPMENT_CREATE,
                Permission.SHIPMENT_READ,
            },
        ),
        Role.PRODUCER: frozenset({Permission.EVENT_READ, Permission.EVENT_REPORT, Permission.SESSION_END}),
    }
)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking.

    Attributes:
        subject: the user name.
        role: what the user is.
        client_id: whose shipments a client may see; None for other roles.
    """

    subject: str
    role: Role
    client_id: str | None = None


def is_allowed(principal: Principal, permission: Permission) -> bool:
    """Say whether the role of `principal` has `permission`; whose object it is, is another question."""
    return permission in PERMISSIONS[principal.role]


def owns(principal: Principal, client_id: str | None) -> bool:
    """Say whether `principal` may see and make what belongs to `client_id`: its own; an admin, all."""
    if principal.role is Role.ADMIN:
        return True
    return principal.role is Role.CLIENT and client_id is not None and principal.client_id == client_id
