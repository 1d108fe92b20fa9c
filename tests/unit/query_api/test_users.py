"""GET /auth/users."""

import pytest

from domain.access.permissions import Principal
from tests.unit.query_api.conftest import ADMIN, CLIENT, DRIVER, Api, World, user


@pytest.fixture(autouse=True)
async def users(world: World) -> None:
    for who in (DRIVER, CLIENT, ADMIN):
        await world.users.add(user(who, "$2b$12$secret"))


async def test_users_are_listed_by_name_without_secrets(api: Api) -> None:
    response = await api.get("/auth/users?limit=2")
    body = await response.json()
    assert [each["username"] for each in body["data"]] == ["admin_user", "client_user_001"]
    assert body["pagination"] == {"total": 3, "limit": 2, "offset": 0, "has_next": True}
    assert body["data"][1] == {
        "username": "client_user_001",
        "role": "client",
        "client_id": "client_001",
        "disabled": False,
        "allowed_sources": [],
        "seeded": False,
        "created_at": "2026-03-01T12:00:00.000Z",
        "updated_at": "2026-03-01T12:00:00.000Z",
    }
    assert "secret" not in await response.text()


@pytest.mark.parametrize("who", [CLIENT, DRIVER])
async def test_only_admins_list_users(api: Api, who: Principal) -> None:
    assert (await api.get("/auth/users", who)).status == 403


async def test_filters_of_other_lists_are_rejected(api: Api) -> None:
    assert (await api.get("/auth/users?status=created")).status == 400
