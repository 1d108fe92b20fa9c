"""The command on the running stack: it prints what the API sends, follows what happens, and is repeatable."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from uuid import uuid4

import pytest

from domain.shipments.status import Status
from tests.e2e.traffic import event_body, shipment_at, shipment_body
from tests.support.api import PASSWORD, Api
from tests.support.stack import StackAddresses

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]

WAYBILL = str(Path(sys.executable).with_name("waybill"))
REST = (Status.IN_WAREHOUSE, Status.IN_TRANSIT, Status.DELIVERED)


@pytest.fixture
def environment(stack: StackAddresses, tmp_path: Path) -> Mapping[str, str]:
    """Give the environment of an admin without profiles."""
    who = {"WAYBILL_URL": stack.gateway_url, "WAYBILL_USER": "admin_user", "WAYBILL_PASSWORD": PASSWORD}
    return os.environ | who | {"XDG_CONFIG_HOME": str(tmp_path)}


async def started(environment: Mapping[str, str], *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        WAYBILL,
        *arguments,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def output(environment: Mapping[str, str], *arguments: str, typed: str = "") -> str:
    """Run a command that ends well; return its standard output."""
    process = await started(environment, *arguments)
    out, err = await process.communicate(typed.encode())
    assert process.returncode == 0, err.decode()
    return out.decode()


async def lines(process: asyncio.subprocess.Process) -> AsyncIterator[str]:
    assert process.stdout is not None
    async for line in process.stdout:
        yield line.decode().rstrip("\n")


async def test_json_is_what_the_api_sends(
    environment: Mapping[str, str], admin: Api, driver: Api, stack: StackAddresses
) -> None:
    number = await shipment_at(Status.IN_WAREHOUSE, admin=admin, driver=driver)
    checks = {
        ("shipments", "get", number): f"/shipments/{number}",
        ("track", number): f"/public/shipments/{number}",
        ("users", "get", "driver_user_001"): "/auth/users/driver_user_001",
    }
    for command, path in checks.items():
        printed = json.loads(await output(environment, *command, "--json"))
        assert printed == (await admin.get(path)).body
    listed = {
        ("shipments", "events", number): f"/shipments/{number}/events?limit=20",
        ("shipments", "list", "--tracking-number", number): f"/shipments?tracking_number={number}",
        ("ops", "quarantine", "list"): "/quarantine",
    }
    for command, path in listed.items():
        printed = json.loads(await output(environment, *command, "--json"))
        assert printed == (await admin.get(path)).body["data"]
    report = json.loads(await output(environment, "health", "--json", "--url", stack.gateway_url))
    assert report["status"] == "ok"


async def test_watch_prints_each_status_and_ends_with_the_delivery(
    environment: Mapping[str, str], admin: Api, driver: Api
) -> None:
    number = await shipment_at(Status.PICKED_UP, admin=admin, driver=driver)
    watching = await started(environment, "shipments", "watch", number)
    seen = lines(watching)
    assert await anext(seen) == "version 2  picked_up"
    for version, status in enumerate(REST, 3):
        await driver.reported(event_body(number, status))
        assert await anext(seen) == f"version {version}  {status}"
    assert await watching.wait() == 0


async def test_a_followed_tail_shows_rejected_events_until_ctrl_c(
    environment: Mapping[str, str], admin: Api, driver: Api
) -> None:
    number = await admin.created(shipment_body())
    following = await started(environment, "events", "tail", number, "--follow")
    seen = lines(following)
    assert (await anext(seen)).split()[1:] == ["created", "api", "applied"]
    await driver.reported(event_body(number, Status.DELIVERED, source="too-early"))
    assert (await anext(seen)).split()[1:] == ["delivered", "too-early", "rejected", "INVALID_TRANSITION"]
    following.send_signal(signal.SIGINT)
    assert await following.wait() == 130


async def test_a_repeated_creation_with_a_key_is_one_shipment(environment: Mapping[str, str]) -> None:
    body = json.dumps(shipment_body())
    create = ("shipments", "create", "--file", "-", "--idempotency-key", uuid4().hex, "--json")
    first, second = [json.loads(await output(environment, *create, typed=body)) for _ in range(2)]
    assert first["tracking_number"] == second["tracking_number"]


async def test_a_login_ends_with_its_logout(
    environment: Mapping[str, str], tmp_path: Path, stack: StackAddresses
) -> None:
    nobody = {name: value for name, value in environment.items() if not name.startswith("WAYBILL_")}
    await output(
        nobody, "login", "--url", stack.gateway_url, "--username", "admin_user", typed=f"{PASSWORD}\n"
    )
    profiles = tmp_path / "waybill/profiles.json"
    kept = profiles.read_text()
    await output(nobody, "users", "list")
    await output(nobody, "logout")
    profiles.write_text(kept)  # a copy of the file, after the token in it was revoked
    process = await started(nobody, "users", "list")
    _, err = await process.communicate()
    assert process.returncode == 1
    assert err.decode().endswith("(INVALID_TOKEN); log in again: `waybill login`\n")
