"""Actions of user administration, and the check for the last admin."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.access.accounts import (
    ApiKey,
    User,
    api_key_created,
    api_key_removed,
    is_active_admin,
    may_log_in,
    own_password_changed,
    principal_of,
    user_changed,
    user_created,
)
from domain.access.permissions import Principal, Role
from tests.support.builders import NOON

ANA = User(
    username="ana",
    password_hash="a-secret",  # noqa: S106  # of no password
    role=Role.PRODUCER,
    client_id=None,
    created_at=NOON,
    updated_at=NOON,
    allowed_sources=("dock-", "gate-"),
)
KEY = ApiKey(key_id="k" * 16, secret_hash="a-secret", created_at=NOON)  # noqa: S106  # of no key


def test_a_change_has_the_values_before_and_after_and_never_a_password() -> None:
    later = NOON + timedelta(seconds=1)
    new = replace(
        ANA,
        role=Role.ADMIN,
        allowed_sources=(),
        password_hash="another-secret",  # noqa: S106
        updated_at=later,
    )
    action = user_changed(ANA, new, by="bea")
    assert (action.action, action.target, action.by, action.at) == ("user.changed", "ana", "bea", later)
    assert action.details == {
        "role": "admin",
        "role_before": "producer",
        "allowed_sources": "",
        "allowed_sources_before": "dock-, gate-",
        "password_changed": True,
    }


def test_no_action_holds_a_secret_and_each_has_its_own_id() -> None:
    actions = [
        user_created(ANA, by="bea"),
        user_changed(ANA, ANA, by="bea"),
        own_password_changed(ANA),
        api_key_created("ana", KEY, by="bea"),
        api_key_removed("ana", KEY.key_id, by="bea", at=NOON),
    ]
    assert len({action.id for action in actions}) == len(actions)
    assert "secret" not in repr(actions)
    assert {action.target for action in actions} == {"ana"}


@pytest.mark.parametrize(
    ("user", "here", "in_development"),
    [
        (replace(ANA, role=Role.ADMIN), True, True),
        (replace(ANA, role=Role.ADMIN, disabled=True), False, False),
        (replace(ANA, role=Role.ADMIN, seeded=True), False, True),
    ],
)
def test_an_admin_counts_who_may_log_in(user: User, *, here: bool, in_development: bool) -> None:
    for development, expected in ((False, here), (True, in_development)):
        assert may_log_in(user, development=development) is expected
        assert is_active_admin(user, development=development) is expected
        assert is_active_admin(replace(user, role=Role.CLIENT), development=development) is False


def test_a_token_speaks_for_the_whole_of_a_user() -> None:
    expected = Principal("ana", Role.PRODUCER, None, allowed_sources=("dock-", "gate-"), seeded=True)
    assert principal_of(replace(ANA, seeded=True)) == expected
