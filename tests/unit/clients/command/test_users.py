"""`users` and `password`."""

import pytest

from tests.unit.clients.command.bodies import USER
from tests.unit.clients.command.conftest import Run
from tests.unit.clients.command.stand_in import StandIn, page
from tests.unit.clients.command.test_profiles import lines

KEY = {"id": "key_1", "created_at": "2026-11-02T16:00:00.000Z"}


def test_a_user_is_made_with_a_password_of_standard_input(
    waybill: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines(monkeypatch, "blue-truck-seven")
    waybill.responses.append((201, USER))
    made = run("users", "create", "dock", "--role", "producer", "--allowed-source", "dock-", "--json")
    assert made.json == USER
    assert waybill.asked[0].body == {
        "username": "dock",
        "password": "blue-truck-seven",
        "role": "producer",
        "allowed_sources": ["dock-"],
    }


@pytest.mark.parametrize(
    ("options", "body"),
    [
        (("--disable",), {"disabled": True}),
        (("--enable",), {"disabled": False}),
        (("--any-source", "--role", "client"), {"allowed_sources": [], "role": "client"}),
        (("--password",), {"password": "blue-truck-eight"}),
    ],
)
def test_only_what_is_given_is_changed(
    waybill: StandIn,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    body: dict[str, object],
) -> None:
    lines(monkeypatch, "blue-truck-eight")
    waybill.responses.append((200, USER))
    assert run("users", "change", "dock", *options).code == 0
    assert (waybill.asked[0].method, waybill.asked[0].path, waybill.asked[0].body) == (
        "PATCH",
        "/auth/users/dock",
        body,
    )


def test_nothing_to_change_and_two_answers_are_misuse(waybill: StandIn, run: Run) -> None:
    assert run("users", "change", "dock").code == 2
    assert run("users", "change", "dock", "--any-source", "--allowed-source", "x").code == 2
    assert waybill.asked == []


def test_users_and_keys_are_listed_made_and_deleted(waybill: StandIn, run: Run) -> None:
    made = KEY | {"api_key": "wbk_secret"}
    waybill.responses += [
        *(page(USER), (200, USER), (200, {"data": [KEY | {"last_used_at": None}]}), (201, made), (204, b"")),
    ]
    assert run("users", "list", "--json").json == [USER]
    assert run("users", "get", "dock", "--json").json == USER
    assert run("users", "keys", "dock", "--json").json == [KEY | {"last_used_at": None}]
    assert run("users", "create-key", "dock", "--json").json == made
    assert run("users", "delete-key", "dock", "key_1").code == 0
    assert [(each.method, each.path.partition("?")[0]) for each in waybill.asked] == [
        ("GET", "/auth/users"),
        ("GET", "/auth/users/dock"),
        ("GET", "/auth/users/dock/api-keys"),
        ("POST", "/auth/users/dock/api-keys"),
        ("DELETE", "/auth/users/dock/api-keys/key_1"),
    ]


def test_the_own_password_is_changed(waybill: StandIn, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    lines(monkeypatch, "before", "after")
    waybill.responses.append((204, b""))
    assert run("password").code == 0
    assert waybill.asked[0].body == {"current_password": "before", "new_password": "after"}
