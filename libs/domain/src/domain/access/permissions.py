"""Roles, permissions and ownership, in one table."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, assert_never


class Permission(StrEnum):
    """A permission, as `resource:action`; each route requires one."""

    DEAD_LETTER_DISCARD = "dead_letter:discard"
    DEAD_LETTER_READ = "dead_letter:read"
    DEAD_LETTER_REPLAY = "dead_letter:replay"
    EVENT_READ = "event:read"
    EVENT_REPORT = "event:report"
    EVENT_RETRACT = "event:retract"
    LINK_MANAGE = "link:manage"
    LINK_READ = "link:read"
    OPERATOR_ACTION_READ = "operator_action:read"
    OWN_PASSWORD_CHANGE = "own_password:change"  # noqa: S105  # a permission, not a secret
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
    WEBHOOK_MANAGE = "webhook:manage"
    WEBHOOK_READ = "webhook:read"


class Role(StrEnum):
    """The role of a user. A producer is a driver, a warehouse or a scanner."""

    ADMIN = "admin"
    CLIENT = "client"
    PRODUCER = "producer"


NO_CLIENT: Final = ""
"""The client of principals without one: no shipment belongs to it."""

PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.ADMIN: frozenset(Permission),
        Role.CLIENT: frozenset(
            {
                Permission.EVENT_READ,
                Permission.LINK_MANAGE,
                Permission.LINK_READ,
                Permission.OWN_PASSWORD_CHANGE,
                Permission.SESSION_END,
                Permission.SHIPMENT_AMEND,
                Permission.SHIPMENT_CANCEL,
                Permission.SHIPMENT_CREATE,
                Permission.SHIPMENT_READ,
                Permission.WEBHOOK_MANAGE,
                Permission.WEBHOOK_READ,
            },
        ),
        Role.PRODUCER: frozenset(
            {
                Permission.EVENT_READ,
                Permission.EVENT_REPORT,
                Permission.EVENT_RETRACT,
                Permission.OWN_PASSWORD_CHANGE,
                Permission.SESSION_END,
            },
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Principal:
    """The authenticated caller.

    Attributes:
        subject: the user name.
        role: what the user is.
        client_id: whose shipments a client may see; None for other roles.
        allowed_sources: beginnings of the sources that a producer may report as; none: any source.
        seeded: a user of every development database, with a well-known password.
    """

    subject: str
    role: Role
    client_id: str | None = None
    allowed_sources: tuple[str, ...] = ()
    seeded: bool = False


def is_allowed(principal: Principal, permission: Permission) -> bool:
    """Say whether the role of `principal` has `permission`; ownership is checked separately."""
    return permission in PERMISSIONS[principal.role]


def client_reach(principal: Principal) -> str | None:
    """Return the client whose shipments `principal` may see and change; None: those of every client.

    The empty text is nobody's client: a caller of that reach has no shipment. Every role is named here, so
    that one that is added reaches nothing until somebody has decided (the type checker names this function).
    """
    match principal.role:
        case Role.ADMIN:
            return None
        case Role.CLIENT:
            return principal.client_id or NO_CLIENT
        case Role.PRODUCER:
            return NO_CLIENT
        case _:
            assert_never(principal.role)


def owns(principal: Principal, client_id: str | None) -> bool:
    """Say whether `principal` may see and make what belongs to `client_id`: its own; an admin, all."""
    reach = client_reach(principal)
    return reach is None or (reach != NO_CLIENT and reach == client_id)


def may_report_as(principal: Principal, source: str) -> bool:
    """Say whether `principal` may report events of `source`: one of its beginnings, where it has some."""
    return not principal.allowed_sources or source.startswith(principal.allowed_sources)
