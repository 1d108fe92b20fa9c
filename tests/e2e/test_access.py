"""Users, API keys, logout and lockout, through the gateway and at both services."""

import uuid

import pytest

from domain.shipments.tracking_number import derive_tracking_number
from tests.e2e.checks import assert_error, assert_retry_after
from tests.e2e.tokens import signed
from tests.e2e.traffic import event_body
from tests.support.api import Api, Json, eventually
from tests.support.stack import StackAddresses

pytestmark = pytest.mark.stack

PASSWORD = "blue-truck-seven"  # noqa: S105  # of users that a test makes
WITHIN_S = 20.0


@pytest.fixture
async def driver_017(admin: Api) -> str:
    """Give a producer that no other test knows."""
    name = f"driver_{uuid.uuid4().hex[:8]}"
    response = await admin.post("/auth/users", {"username": name, "password": PASSWORD, "role": "producer"})
    assert (response.status, response.headers["Location"]) == (201, f"/auth/users/{name}")
    assert PASSWORD not in response.text
    assert "$2b$" not in response.text
    return name


async def refused_everywhere(caller: Api) -> None:
    """Wait until both services reject a producer's token."""
    unknown = derive_tracking_number("nobody", uuid.uuid4().hex, 0)

    async def refused() -> bool | None:
        read = await caller.get("/events/evt_nothing")
        written = await caller.post("/events", event_body(unknown, "picked_up"))
        return True if {read.status, written.status} == {401} else None

    await eventually(refused, within_s=WITHIN_S)


async def test_a_new_user_logs_in_and_a_disabled_one_is_cut_off(
    admin: Api, nobody: Api, driver_017: str
) -> None:
    caller = nobody.by(await nobody.log_in(driver_017, PASSWORD))
    assert (await caller.get("/events/evt_nothing")).status == 404

    change = await admin.ask("PATCH", f"/auth/users/{driver_017}", json={"disabled": True})
    assert (change.status, change.body["disabled"]) == (200, True)
    await refused_everywhere(caller)
    login = await nobody.post("/auth/login", {"username": driver_017, "password": PASSWORD})
    assert_error(login, 401, "INVALID_CREDENTIALS")

    await admin.ask("PATCH", f"/auth/users/{driver_017}", json={"disabled": False})
    again = nobody.by(await nobody.log_in(driver_017, PASSWORD))
    assert (await again.get("/events/evt_nothing")).status == 404
    assert (await caller.get("/events/evt_nothing")).status == 401


@pytest.mark.parametrize("role", ["admin", "client", "producer"])
async def test_a_logout_ends_the_token_at_both_services(
    nobody: Api, stack: StackAddresses, role: str
) -> None:
    client_id = "client_001" if role == "client" else None
    token, other = (
        nobody.by(signed(stack.jwt_secret, sub=f"out_{role}", role=role, client_id=client_id))
        for _ in range(2)
    )
    assert (await token.post("/auth/logout", None)).status == 204
    await refused_everywhere(token)
    assert (await other.get("/events/evt_nothing")).status == 404
    assert_error(await nobody.post("/auth/logout", None), 401, "AUTHENTICATION_REQUIRED")


async def test_a_user_changes_its_own_password_and_keeps_its_token(
    admin: Api, nobody: Api, driver_017: str
) -> None:
    here, elsewhere = [nobody.by(await nobody.log_in(driver_017, PASSWORD)) for _ in range(2)]
    wrong = {"current_password": "blue-truck-nine", "new_password": "green-train-eight"}
    assert_error(await here.post("/auth/password", wrong), 401, "INVALID_CREDENTIALS")
    common = {"current_password": PASSWORD, "new_password": "trustno1"}
    assert_error(await here.post("/auth/password", common), 400, "VALIDATION_ERROR", "/new_password")
    changed = await here.post("/auth/password", wrong | {"current_password": PASSWORD})
    assert (changed.status, changed.headers["Cache-Control"]) == (204, "no-store")
    await refused_everywhere(elsewhere)
    assert (await here.get("/events/evt_nothing")).status == 404
    unknown = derive_tracking_number("nobody", uuid.uuid4().hex, 0)
    assert (await here.post("/events", event_body(unknown, "picked_up"))).status == 202
    assert await nobody.log_in(driver_017, "green-train-eight")
    actions = await admin.get(f"/operator-actions?target={driver_017}&action=user.password_changed")
    assert [action["by"] for action in actions.body["data"]] == [driver_017]
    assert "green-train" not in actions.text


async def test_a_producer_reports_only_its_allowed_sources(admin: Api, nobody: Api, driver_017: str) -> None:
    path = f"/auth/users/{driver_017}"
    change = await admin.ask("PATCH", path, json={"allowed_sources": ["driver-", "dock 7"]})
    assert change.body["allowed_sources"] == ["driver-", "dock 7"]
    key = (await admin.post(f"{path}/api-keys", None)).body["api_key"]
    by_key = (await nobody.post("/auth/token", {"api_key": key})).body["token"]
    unknown = derive_tracking_number("nobody", uuid.uuid4().hex, 0)
    good = event_body(unknown, "picked_up") | {"source": "driver-017"}
    bad = good | {"source": "scanner-1"}
    for token in (await nobody.log_in(driver_017, PASSWORD), by_key):
        driver = nobody.by(token)
        assert (await driver.post("/events", good)).status == 202
        assert_error(await driver.post("/events", bad), 403, "SOURCE_NOT_ALLOWED", "/source")
        refused = await driver.post("/events/batch", {"events": [good, bad]})
        assert_error(refused, 403, "SOURCE_NOT_ALLOWED", "/events/1/source")
        lenient = await driver.ask(
            "POST", "/events/batch", json={"events": [bad, good]}, headers={"Prefer": "handling=lenient"}
        )
        assert [each["status"] for each in lenient.body["events"]] == ["rejected", "queued"]
        assert lenient.body["events"][0]["error"] == "SOURCE_NOT_ALLOWED"
    await admin.ask("PATCH", path, json={"allowed_sources": []})
    await refused_everywhere(nobody.by(by_key))
    free = nobody.by(await nobody.log_in(driver_017, PASSWORD))
    assert (await free.post("/events", bad)).status == 202


async def test_an_api_key_is_shown_once_works_and_ends(admin: Api, nobody: Api, driver_017: str) -> None:
    path = f"/auth/users/{driver_017}/api-keys"
    made: Json = (await admin.post(path, None)).body
    response = await nobody.post("/auth/token", {"api_key": made["api_key"]})
    assert (response.status, response.body["expires_in"]) == (200, 86_400)
    caller = nobody.by(response.body["token"])
    assert (await caller.get("/events/evt_nothing")).status == 404

    listed = await admin.get(path)
    assert [set(key) for key in listed.body["data"]] == [{"id", "created_at", "last_used_at"}]
    assert listed.body["data"][0]["last_used_at"] is not None
    assert made["api_key"].rpartition("_")[2] not in listed.text

    assert (await admin.ask("DELETE", f"{path}/{made['id']}")).status == 204
    await refused_everywhere(caller)
    again = await nobody.post("/auth/token", {"api_key": made["api_key"]})
    assert_error(again, 401, "INVALID_CREDENTIALS")


async def test_a_guesser_is_slowed_down_and_a_success_resets(nobody: Api, driver_017: str) -> None:
    wrong = {"username": driver_017, "password": "wrong"}
    for _ in range(5):
        assert_error(await nobody.post("/auth/login", wrong), 401, "INVALID_CREDENTIALS")
    right = {"username": driver_017, "password": PASSWORD}
    locked = await nobody.post("/auth/login", right)
    if locked.status != 200:  # a busy machine may take longer than the lock of a second
        assert_error(locked, 429, "TOO_MANY_ATTEMPTS")
        assert_retry_after(locked)

    async def logged_in() -> bool | None:
        return True if (await nobody.post("/auth/login", right)).status == 200 else None

    await eventually(logged_in, within_s=WITHIN_S)
    assert_error(await nobody.post("/auth/login", wrong), 401, "INVALID_CREDENTIALS")


async def test_responses_state_the_remaining_budget(admin: Api, nobody: Api) -> None:
    response = await admin.get("/shipments")
    assert response.headers["RateLimit-Policy"].startswith('"reads";q=')
    assert response.headers["RateLimit"].startswith('"reads";r=')
    login = await nobody.post("/auth/login", {"username": "nobody", "password": "x"})
    assert login.headers["RateLimit-Policy"] == '"login";q=50;w=10'
    assert "RateLimit" not in (await nobody.get("/health")).headers


@pytest.mark.parametrize("change", [{"disabled": True}, {"role": "producer"}])
async def test_an_admin_cannot_lock_itself_out(admin: Api, change: Json) -> None:
    response = await admin.ask("PATCH", "/auth/users/admin_user", json=change)
    assert_error(response, 409, "OWN_ACCOUNT")


async def test_a_username_is_unique(admin: Api, driver_017: str) -> None:
    again = {"username": driver_017, "password": PASSWORD, "role": "producer"}
    assert_error(await admin.post("/auth/users", again), 409, "USERNAME_TAKEN")
