"""An outbox and the whole stack: scans made offline are applied once and in order, whatever kills it."""

import asyncio
import json
import os
import sys
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from tests.e2e.traffic import shipment_body
from tests.support.api import Api, Json, eventually
from tests.support.builders import ROUTE
from tests.support.stack import StackAddresses
from waybill.outbox import Outbox

pytestmark = [pytest.mark.stack, pytest.mark.timeout(150)]

SOURCE = "scanner-mex-03"
FORBIDDEN_SOURCE = "dock-9"
AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Offline:
    """A day without a network.

    Attributes:
        shipments: how many were scanned.
        checkpoints: how many each passed, beside its four statuses.
        kills: how many flushes are ended.
        lines: scans of a request.
    """

    shipments: int
    checkpoints: int
    kills: int
    lines: int

    @property
    def scans(self) -> list[str]:
        """The scans of each shipment, in their order: statuses and checkpoints."""
        picked_up, *others = ROUTE
        return [picked_up, *(f"hub_{index}" for index in range(self.checkpoints)), *others]

    @property
    def count(self) -> int:
        return self.shipments * len(self.scans)


SHORT = Offline(shipments=12, checkpoints=2, kills=8, lines=10)
WHOLE = Offline(shipments=500, checkpoints=16, kills=50, lines=500)


@pytest.fixture
async def scanner_key(admin: Api) -> str:
    """Give the API key of a scanner that may report under sources of scanners alone."""
    name = f"scanner-{uuid.uuid4().hex[:12]}"
    user: Json = {
        "username": name,
        "password": uuid.uuid4().hex,
        "role": "producer",
        "allowed_sources": ["scanner-"],
    }
    assert (await admin.post("/auth/users", user)).status == 201
    return str((await admin.post(f"/auth/users/{name}/api-keys", {})).body["api_key"])


async def registered(client: Api, how_many: int) -> list[str]:
    numbers: list[str] = []
    while len(numbers) < how_many:
        few = min(AT_ONCE, how_many - len(numbers))
        numbers += await asyncio.gather(*(client.created(shipment_body()) for _ in range(few)))
    return numbers


def scan_all(path: Path, numbers: list[str], offline: Offline) -> None:
    """Scan every shipment at every step, one of the scans under a source that the scanner may not use."""
    start, later = datetime.now(UTC) - timedelta(hours=1), count()
    bad = offline.shipments + offline.shipments // 2  # a checkpoint: the status after it stays legal
    with Outbox(path) as outbox:
        for step in offline.scans:
            for number in numbers:
                index = next(later)
                outbox.add(
                    number,
                    step if step in ROUTE else None,
                    checkpoint=None if step in ROUTE else step,
                    source=FORBIDDEN_SOURCE if index == bad else SOURCE,
                    timestamp=start + timedelta(milliseconds=index),
                )


async def flush_and_kill(url: str, path: Path, key: str, offline: Offline) -> list[int]:
    arguments = [url, str(path), str(offline.kills), "20261130", str(offline.lines)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.crashing.outbox_alarms",
        *arguments,
        env={**os.environ, "WAYBILL_API_KEY": key},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    waiting: list[int] = json.loads(out)
    return waiting


async def trail(client: Api, number: str, scans: int) -> list[Json]:
    """Return a shipment's events once as many as expected have an outcome, oldest first."""

    async def whole() -> list[Json] | None:
        events: list[Json] = (await client.get(f"/shipments/{number}/events?limit=100")).body["data"]
        return events if len(events) > scans else None

    return sorted(await eventually(whole, within_s=30), key=lambda event: event["timestamp"])


def steps(events: list[Json]) -> list[str]:
    return [event.get("checkpoint") or event["status"] for event in events]


async def scans_offline(stack: StackAddresses, client: Api, key: str, path: Path, offline: Offline) -> None:
    numbers = await registered(client, offline.shipments)
    await asyncio.to_thread(scan_all, path, numbers, offline)
    waiting = await flush_and_kill(stack.gateway_url, path, key, offline)
    assert waiting[0] == offline.count
    assert len(waiting) == 1 + offline.kills
    assert waiting[-1] > 0, "every flush that was ended had something to send"
    assert waiting == sorted(waiting, reverse=True)
    with Outbox(path) as outbox:
        assert outbox.pending() == []
        (refused,) = outbox.refused()
    assert (refused.error, refused.event["source"]) == ("SOURCE_NOT_ALLOWED", FORBIDDEN_SOURCE)
    applied = 0
    for number in numbers:
        expected = offline.scans
        if refused.tracking_number == number:
            expected = [step for step in expected if step != refused.event.get("checkpoint")]
        events = [each for each in await trail(client, number, len(expected)) if each["source"] == SOURCE]
        assert steps(events) == expected
        assert {(each["outcome"], each["attempts"]) for each in events} == {("applied", 1)}
        shipment = await client.shipment(number)
        assert (shipment["current_status"], shipment["version"]) == (ROUTE[-1], 1 + len(expected))
        assert steps(shipment["status_history"])[1:] == expected, "in the order of scanning"
        applied += len(events)
    assert applied == offline.count - 1


async def test_flushes_that_are_killed_apply_every_scan_once_and_in_order(
    stack: StackAddresses, client: Api, scanner_key: str, tmp_path: Path
) -> None:
    await scans_offline(stack, client, scanner_key, tmp_path / "scans.db", SHORT)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_ten_thousand_scans_and_fifty_deaths_apply_every_scan_once_and_in_order(
    stack: StackAddresses, client: Api, scanner_key: str, tmp_path: Path
) -> None:
    await scans_offline(stack, client, scanner_key, tmp_path / "scans.db", WHOLE)
