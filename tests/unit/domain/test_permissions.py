"""Permissions and ownership: the whole table."""

from typing import cast

import pytest

from domain.access.permissions import (
    NO_CLIENT,
    Permission,
    Principal,
    Role,
    client_reach,
    is_allowed,
    may_report_as,
    owns,
)
from domain.ports.queries import EVERYTHING, Scope, scope_of

TABLE = """
                      admin  client  producer
dead_letter:discard   x      .       .
dead_letter:read      x      .       .
dead_letter:replay    x      .       .
event:read            x      x       x
event:report          x      .       x
event:retract         x      .       x
link:manage           x      x       .
link:read             x      x       .
operator_action:read  x      .       .
own_password:change   x      x       x
partition:read        x      .       .
partition:resume      x      .       .
quarantine:manage     x      .       .
quarantine:read       x      .       .
session:end           x      x       x
shipment:amend        x      x       .
shipment:cancel       x      x       .
shipment:create       x      x       .
shipment:read         x      x       .
user:manage           x      .       .
user:read             x      .       .
webhook:manage        x      x       .
webhook:read          x      x       .
"""

ADMIN = Principal("admin_user", Role.ADMIN)
CLIENT = Principal("client_user_001", Role.CLIENT, "client_001")
HOMELESS_CLIENT = Principal("client_user_009", Role.CLIENT)
DRIVER = Principal("driver_user_001", Role.PRODUCER)
DRIVER_WITH_CLIENT = Principal("driver_user_002", Role.PRODUCER, "client_001")


def _cells() -> list[tuple[str, str, bool]]:
    roles, *rows = [line.split() for line in TABLE.strip().splitlines()]
    return [
        (role, permission, mark == "x")
        for permission, *marks in rows
        for role, mark in zip(roles, marks, strict=True)
    ]


def test_the_table_names_every_role_and_permission() -> None:
    assert {role for role, _, _ in _cells()} == {role.value for role in Role}
    assert {permission for _, permission, _ in _cells()} == {permission.value for permission in Permission}


@pytest.mark.parametrize(("role", "permission", "allowed"), _cells())
def test_a_role_has_exactly_the_permissions_of_the_table(
    role: str, permission: str, *, allowed: bool
) -> None:
    assert is_allowed(Principal("somebody", Role(role)), Permission(permission)) is allowed


def test_permissions_are_sorted_and_name_resource_and_action() -> None:
    names = [permission.value for permission in Permission]
    assert names == sorted(names)
    assert all(name.count(":") == 1 for name in names)


@pytest.mark.parametrize(
    ("principal", "client_id", "expected"),
    [
        (ADMIN, "client_001", True),
        (ADMIN, None, True),
        (CLIENT, "client_001", True),
        (CLIENT, "client_002", False),
        (CLIENT, None, False),
        (HOMELESS_CLIENT, "client_001", False),
        (HOMELESS_CLIENT, None, False),  # nobody's object is not the object of a client without a name
        (DRIVER, "client_001", False),
        (DRIVER, None, False),
        (DRIVER_WITH_CLIENT, "client_001", False),
    ],
)
def test_a_client_owns_what_is_its_own_and_an_admin_everything(
    principal: Principal, client_id: str | None, *, expected: bool
) -> None:
    assert owns(principal, client_id) is expected


REACHES = {
    Role.ADMIN: None,
    Role.CLIENT: "client_001",
    Role.PRODUCER: NO_CLIENT,
}
"""The client whose shipments each role with the client `client_001` reaches, written out by hand."""


@pytest.mark.parametrize("role", Role)
def test_every_role_reaches_what_was_decided_for_it(role: Role) -> None:
    assert role in REACHES, f"decide whose shipments a {role} reaches, here and in client_reach"
    caller = Principal("somebody", role, "client_001")
    assert client_reach(caller) == REACHES[role]
    assert owns(caller, "client_002") is (REACHES[role] is None)
    assert (scope_of(caller) == EVERYTHING) is (REACHES[role] is None)


def test_a_role_that_nobody_has_decided_on_reaches_nothing() -> None:
    undecided = Principal("somebody", cast("Role", "auditor"))
    for ask in (client_reach, scope_of, lambda caller: owns(caller, "client_001")):
        with pytest.raises(AssertionError):
            ask(undecided)


def test_a_client_without_a_name_sees_nothing_not_what_is_nobodys() -> None:
    assert client_reach(HOMELESS_CLIENT) == NO_CLIENT
    assert scope_of(HOMELESS_CLIENT) == Scope(client_id=NO_CLIENT)
    assert owns(HOMELESS_CLIENT, NO_CLIENT) is False


@pytest.mark.parametrize(
    ("allowed", "source", "expected"),
    [
        ((), "anything", True),
        (("scanner-",), "scanner-7", True),
        (("scanner-", "dock"), "dock", True),
        (("scanner-",), "Scanner-7", False),
        (("scanner-",), "a-scanner-7", False),
        (("scanner-7",), "scanner-", False),
    ],
)
def test_a_producer_reports_as_what_begins_as_it_may(
    allowed: tuple[str, ...], source: str, *, expected: bool
) -> None:
    caller = Principal("driver", Role.PRODUCER, allowed_sources=allowed)
    assert may_report_as(caller, source) is expected
