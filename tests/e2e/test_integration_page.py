"""The programs of docs/integration.md follow a shipment through the running stack, as printed."""

import asyncio
import json
import os
import re
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest

from domain.shipments.status import Status
from messaging.settings import KafkaSettings
from processor.settings import LoopSettings
from tests.e2e.traffic import shipment_at
from tests.support.api import Api
from tests.support.printed_calls import ROOT
from tests.support.stack import RunningStack, StackAddresses

pytestmark = pytest.mark.stack

PAGE = (ROOT / "docs/integration.md").read_text()
PROGRAMS = dict(re.findall(r"^```python\n# (\S+\.py)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
FIND_THE_BROKER = re.findall(r"^```sh\n(export BROKERS=.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
READERS = [name for name in PROGRAMS if name.startswith("read_with_")]
STORY = ["created", "picked_up", "in_warehouse", "in_transit", "delivered"]


@pytest.fixture
def environment(stack: StackAddresses, tmp_path: Path) -> Mapping[str, str]:
    """Give an environment in which the page's command finds the stack, with a group of the test's own."""
    if isinstance(stack, RunningStack):
        home = stack.home.root
    else:
        home = tmp_path
        port = int(stack.kafka_brokers.rpartition(":")[2])
        (home / "stack.json").write_text(json.dumps({"kafka": [{"pid": 1, "port": port}]}))
    command = f"{FIND_THE_BROKER}\nprintf %s $BROKERS"
    found = subprocess.run(
        ["bash", "-euc", command],
        env={**os.environ, "WAYBILL_HOME": str(home)},
        capture_output=True,
        check=True,
    )
    assert found.stdout.decode() in stack.kafka_brokers
    return {**os.environ, "BROKERS": found.stdout.decode(), "GROUP": f"test-{uuid.uuid4().hex}"}


async def _read_until(
    program: str, number: str, *, folder: Path, environment: Mapping[str, str]
) -> list[str]:
    """Run a program until it shows the delivery of the shipment; return its output about it."""
    reader = await asyncio.create_subprocess_exec(
        sys.executable, program, cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert reader.stdout is not None
    statuses: list[str] = []
    async with asyncio.timeout(40):
        while "delivered" not in statuses:
            line = (await reader.stdout.readline()).decode()
            assert line, f"the program ended: {await reader.wait()}"
            if line.startswith(number):
                statuses.append(line.split()[2])
        reader.terminate()
        assert await reader.wait() == 0
    return statuses


@pytest.mark.parametrize("program", READERS)
async def test_a_reader_follows_a_shipment_and_applies_each_change_once(
    program: str, environment: Mapping[str, str], tmp_path: Path, admin: Api, driver: Api
) -> None:
    for name, text in PROGRAMS.items():
        (tmp_path / name).write_text(text)
    number = await shipment_at(Status.DELIVERED, admin=admin, driver=driver)

    assert await _read_until(program, number, folder=tmp_path, environment=environment) == STORY

    # A group that begins again is given everything again; what was applied is not applied a second time.
    again = await shipment_at(Status.DELIVERED, admin=admin, driver=driver)
    other_group = {**environment, "GROUP": f"test-{uuid.uuid4().hex}"}
    assert await _read_until(program, again, folder=tmp_path, environment=other_group) == STORY
    with sqlite3.connect(tmp_path / "shipments.db") as copy:
        rows = copy.execute("SELECT version, status FROM shipments WHERE number = ?", (number,)).fetchall()
    assert rows == [(len(STORY), "delivered")]


def test_the_page_names_the_codec_and_the_group_that_are_in_use() -> None:
    assert READERS == ["read_with_confluent.py", "read_with_kafka_python.py"]
    assert KafkaSettings.model_fields["compression"].default == "snappy"
    assert "**Compression**: snappy" in PAGE
    assert f"the group `{LoopSettings.model_fields['group'].default}`" in PAGE
