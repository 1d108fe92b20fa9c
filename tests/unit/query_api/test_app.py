"""The whole service: its routes, its health, its start."""

import subprocess
import sys

import pytest
from aiohttp.test_utils import TestClient, TestServer

from domain.access.permissions import Permission
from httpkit.routes import DECLARED
from httpkit.server.health import State
from query_api.app import build_app
from servicekit.settings import Environment
from tests.unit.query_api.conftest import ADMIN, Api, World, settings

CONTRACT = ("/", "/openapi.json", "/docs", "/docs/{asset}")
PUBLIC_VIEW = "/public/shipments/{tracking_number}"
PUBLIC = {
    ("POST", "/auth/login"),
    ("POST", "/auth/token"),
    ("POST", "/events"),
    ("POST", "/events/batch"),
    ("POST", "/events/{event_id}/retract"),
    ("POST", "/shipments"),
    ("POST", "/dead-letters/replay"),
    ("POST", "/dead-letters/{dead_letter_id}/replay"),
    ("PATCH", "/shipments/{tracking_number}"),
    ("DELETE", "/shipments/{tracking_number}"),
    ("GET", "/health"),
    ("HEAD", "/health"),
    ("POST", "/health"),
    ("GET", "/health/live"),
    ("HEAD", "/health/live"),
    ("GET", "/health/ready"),
    ("HEAD", "/health/ready"),
    ("GET", "/metrics"),
    ("HEAD", "/metrics"),
    *((method, path) for method in ("GET", "HEAD") for path in (*CONTRACT, PUBLIC_VIEW)),
}
READING = {
    "/auth/users": Permission.USER_READ,
    "/auth/users/{username}": Permission.USER_READ,
    "/auth/users/{username}/api-keys": Permission.USER_READ,
    "/events/{event_id}": Permission.EVENT_READ,
    "/shipments": Permission.SHIPMENT_READ,
    "/shipments/{tracking_number}": Permission.SHIPMENT_READ,
    "/shipments/{tracking_number}/stream": Permission.SHIPMENT_READ,
    "/shipments/{tracking_number}/events": Permission.SHIPMENT_READ,
    "/shipments/{tracking_number}/links": Permission.LINK_READ,
    "/dead-letters": Permission.DEAD_LETTER_READ,
    "/dead-letters/{dead_letter_id}": Permission.DEAD_LETTER_READ,
    "/operator-actions": Permission.OPERATOR_ACTION_READ,
    "/partitions": Permission.PARTITION_READ,
    "/quarantine": Permission.QUARANTINE_READ,
}
PERMISSIONS = {
    **{(method, path): asked for path, asked in READING.items() for method in ("GET", "HEAD")},
    ("POST", "/dead-letters/{dead_letter_id}/discard"): Permission.DEAD_LETTER_DISCARD,
    ("POST", "/shipments/{tracking_number}/links"): Permission.LINK_MANAGE,
    ("DELETE", "/shipments/{tracking_number}/links/{link_id}"): Permission.LINK_MANAGE,
    ("POST", "/auth/logout"): Permission.SESSION_END,
    ("POST", "/auth/password"): Permission.OWN_PASSWORD_CHANGE,
    ("POST", "/partitions/{partition}/resume"): Permission.PARTITION_RESUME,
    ("PUT", "/quarantine/{tracking_number}"): Permission.QUARANTINE_MANAGE,
    ("DELETE", "/quarantine/{tracking_number}"): Permission.QUARANTINE_MANAGE,
    ("POST", "/auth/users"): Permission.USER_MANAGE,
    ("PATCH", "/auth/users/{username}"): Permission.USER_MANAGE,
    ("POST", "/auth/users/{username}/api-keys"): Permission.USER_MANAGE,
    ("DELETE", "/auth/users/{username}/api-keys/{key_id}"): Permission.USER_MANAGE,
}


def test_each_route_declares_its_permission(world: World) -> None:
    declared = build_app(settings(), opening=world.opened)[DECLARED]
    by_path = {
        (route.method, route.resource.canonical): asked for route, asked in declared.items() if route.resource
    }
    assert {key for key, asked in by_path.items() if asked is None and key[0] != "OPTIONS"} == PUBLIC
    assert {key: asked for key, asked in by_path.items() if asked is not None} == PERMISSIONS


@pytest.mark.parametrize(
    ("lost", "status", "checks"),
    [
        ({}, 200, {}),
        ({"cache": State.DOWN}, 200, {"cache": "degraded"}),
        ({"database": State.DOWN, "readable": State.DOWN}, 503, {"database": "down"}),
    ],
)
async def test_health_lists_the_stores(
    api: Api, world: World, lost: dict[str, State], status: int, checks: dict[str, str]
) -> None:
    world.probes |= lost
    for path in ("/health", "/health/ready"):
        response = await api.get(path, who=None)
        assert response.status == status
        well = dict.fromkeys(("database", "cache", "event_queue"), "ok")
        assert (await response.json())["checks"] == well | checks


async def test_health_covers_the_system_and_readiness_the_replica(api: Api, world: World) -> None:
    well = dict.fromkeys(("database", "cache", "event_queue"), "ok")
    world.event_queue = State.DOWN
    for path, status, shown in (("/health", 503, "down"), ("/health/ready", 200, "ok")):
        response = await api.get(path, who=None)
        assert (response.status, (await response.json())["checks"]) == (status, well | {"event_queue": shown})


async def test_a_replica_without_a_primary_shows_what_can_be_read(api: Api, world: World) -> None:
    world.probes["database"] = State.DOWN
    for path, status in (("/health", 503), ("/health/ready", 200)):
        assert (await api.get(path, who=None)).status == status


async def test_a_replica_without_kafka_is_not_ready(api: Api, world: World) -> None:
    world.probes["event_queue"] = State.DOWN
    assert (await api.get("/health/ready", who=None)).status == 503


async def test_development_users_exist_after_a_start_in_development(world: World) -> None:
    for _ in range(2):  # a second start finds them
        app = build_app(settings(Environment.DEVELOPMENT), opening=world.opened)
        async with TestClient(TestServer(app)) as client:
            body = {"username": "admin_user", "password": "password123"}
            assert (await client.post("/auth/login", json=body)).status == 200
    users, total = await world.users.page(limit=10, offset=0)
    assert total == 4
    assert {user.username: user.client_id for user in users} == {
        "admin_user": None,
        "client_user_001": "client_001",
        "client_user_002": "client_002",
        "driver_user_001": None,
    }


async def test_development_users_do_not_exist_after_a_start_in_production(api: Api, world: World) -> None:
    assert (await api.get("/auth/users", ADMIN)).status == 200
    assert await world.users.page(limit=10, offset=0) == ([], 0)


def test_wrong_settings_end_the_process_with_one_line_each() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "query_api"],
        env={"PORT": "no", "BCRYPT_COST": "1"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    names = [line.split()[1] for line in ended.stderr.splitlines()]
    assert names == ["PORT:", "JWT_SECRET:", "BCRYPT_COST:"]
