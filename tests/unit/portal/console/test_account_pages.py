"""Pages of users, keys and one's own account, in front of a real query-api."""

import re

import pytest

from tests.unit.portal.console.conftest import PASSWORD, Console
from tests.unit.query_api.conftest import CLIENT, DRIVER

NEW = "/console/new-user"
USER = f"/console/users/{CLIENT.subject}"


async def test_a_user_is_made_found_changed_and_disabled(operator: Console) -> None:
    form = {
        "username": "new",
        "password": "blue truck seven",
        "role": "producer",
        "allowed_sources": "dock-\n \ngate-",
    }
    made = await operator.post(NEW, form)
    assert (made.status, made.headers["Location"]) == (303, "/console/users/new?notice=user_created")
    page = await operator.page("/console/users/new?notice=user_created")
    assert ">dock-\ngate-</textarea>" in page
    assert "The user is made." in page
    assert ">new</a>" in await operator.page("/console/users")

    changed = await operator.post(
        "/console/users/new", {"act": "access", "role": "client", "client_id": "client_009"}
    )
    assert changed.headers["Location"].endswith("notice=user_changed")
    assert 'value="client_009"' in await operator.page("/console/users/new")
    assert "Disable one user" in await operator.page("/console/users/new?act=disable")
    await operator.post("/console/users/new", {"act": "disable"})
    assert "Enable one user" in await operator.page("/console/users/new")


async def test_a_form_that_is_rejected_is_shown_again_without_the_password(operator: Console) -> None:
    response = await operator.post(NEW, {"username": "a b", "password": "blue truck seven", "role": "client"})
    page = await response.text()
    assert response.status == 400
    assert 'value="a b" aria-invalid="true" aria-describedby="fault-username"' in page
    assert 'id="fault-username"' in page
    assert "blue truck seven" not in page
    taken = await operator.post(
        NEW, {"username": CLIENT.subject, "password": "blue truck seven", "role": "admin"}
    )
    assert (taken.status, "USERNAME_TAKEN" in await taken.text()) == (409, True)


async def test_a_key_is_shown_once_and_removed_after_a_second_look(operator: Console) -> None:
    made = await operator.post(USER, {"act": "make_key"})
    [key] = re.findall(r'<code class="once">([^<]+)</code>', await made.text())
    page = await operator.page(USER)
    assert key not in page
    [key_id] = set(re.findall(r"act=remove_key&amp;target=([^#\"]+)", page))
    assert "Remove one key" not in page
    assert "Remove one key" in await operator.page(f"{USER}?act=remove_key&target={key_id}")
    removed = await operator.post(USER, {"act": "remove_key", "key_id": key_id})
    assert removed.headers["Location"] == f"{USER}?notice=key_removed"
    assert "This user has none." in await operator.page(USER)


async def test_the_last_admin_stays(operator: Console) -> None:
    response = await operator.post("/console/users/admin_user", {"act": "disable"})
    assert response.status == 409
    assert "OWN_ACCOUNT" in await response.text()


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        (("wrong", "blue truck seven", "blue truck seven"), 403, "This is not your present password."),
        ((PASSWORD, "blue truck seven", "blue truck eight"), 422, "This is not the same."),
        ((PASSWORD, "password123", "password123"), 400, "VALIDATION_ERROR"),
    ],
)
async def test_a_password_that_is_not_changed_says_why(
    operator: Console, fields: tuple[str, str, str], status: int, words: str
) -> None:
    names = ("current_password", "new_password", "repeated")
    response = await operator.post("/console/account", dict(zip(names, fields, strict=True)))
    page = await response.text()
    assert (response.status, words in page) == (status, True)
    assert not any(field in page for field in fields if " " in field), "no password is shown"
    await operator.page("/console/account")


async def test_a_password_is_changed_and_this_session_stays(console: Console) -> None:
    await console.log_in(CLIENT)
    fields = {
        "current_password": PASSWORD,
        "new_password": "blue truck seven",
        "repeated": "blue truck seven",
    }
    response = await console.post("/console/account", fields)
    assert response.headers["Location"] == "/console/account?notice=password_changed"
    assert "Your password is changed." in await console.page("/console/account?notice=password_changed")
    assert (await console.log_in(CLIENT)).status == 401
    assert (await console.log_in(CLIENT, "blue truck seven")).status == 303


async def test_clients_have_no_pages_of_users_and_producers_none_at_all(console: Console) -> None:
    await console.log_in(CLIENT)
    for path in ("/console/users", NEW, USER, "/console/upload"):
        await console.page(path, status=403)
    assert (await console.post(USER, {"act": "disable"})).status == 403
    assert (await console.log_in(DRIVER)).status == 403
