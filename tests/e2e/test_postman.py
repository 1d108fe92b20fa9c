"""The Postman collection runs from top to bottom, asserts on every response, and leaves nothing behind."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from docgen.documents import ROOT
from tests.support.api import Api
from tests.support.node_tools import PACKAGES, run_node
from tests.support.stack import StackAddresses

pytestmark = pytest.mark.stack

COLLECTION = ROOT / "docs/postman_collection.json"


def _run(stack: StackAddresses, report: Path) -> dict[str, Any]:
    ran = run_node(
        PACKAGES / ".bin/newman",
        *("run", COLLECTION, "--env-var", f"baseUrl={stack.gateway_url}"),
        *("--reporters", "cli,json", "--reporter-json-export", report, "--color", "off"),
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return dict(json.loads(report.read_bytes())["run"])


async def _open_work(admin: Api) -> tuple[set[str], int, int]:
    """Return who may log in, how many shipments are on their way, and how many are quarantined."""
    users = (await admin.get("/auth/users?limit=100")).body["data"]
    underway = await admin.get(
        "/shipments?status=created,picked_up,in_warehouse,in_transit&client_id=client_001"
    )
    quarantined = (await admin.get("/quarantine")).body["data"]
    return (
        {user["username"] for user in users if not user["disabled"]},
        underway.body["pagination"]["total"],
        len(quarantined),
    )


async def test_every_assertion_holds_and_nothing_stays(
    stack: StackAddresses, admin: Api, tmp_path: Path
) -> None:
    before = await _open_work(admin)

    run = await asyncio.to_thread(_run, stack, tmp_path / "newman.json")

    requests = [item for folder in json.loads(COLLECTION.read_bytes())["item"] for item in folder["item"]]
    assert run["failures"] == []
    assert run["stats"]["requests"] == {"total": len(requests), "pending": 0, "failed": 0}
    assert run["stats"]["assertions"]["total"] >= len(requests)
    assert {each["assertions"][0]["assertion"] for each in run["executions"]} <= {
        f"status is {status}" for status in (200, 201, 202, 204, 401, 404, 409)
    }
    assert await _open_work(admin) == before
