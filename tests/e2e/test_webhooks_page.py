"""The receivers of docs/webhooks.md, as printed, get real deliveries: each change once, nothing forged."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from domain.shipments.status import Status
from tests.e2e.traffic import PATH_TO, event_body, shipment_body
from tests.support.api import Api, Json, eventually, open_api
from tests.support.node_tools import NODE, PACKAGES
from tests.support.ports import unused_port
from tests.support.printed_calls import ROOT

pytestmark = pytest.mark.stack

PAGE = (ROOT / "docs/webhooks.md").read_text()
PROGRAMS = dict(re.findall(r"^```(?:python|js)\n(?:#|//) (\S+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
INTERPRETERS: Mapping[str, str | Path] = {"receiver.py": sys.executable, "receiver.mjs": NODE}
TWENTY_LINES = 20


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver that runs, and the endpoint that leads to it."""

    process: asyncio.subprocess.Process
    url: str
    endpoint: str

    async def line(self) -> str:
        """Return the next line that it prints: one for each change that it has not seen before."""
        assert self.process.stdout is not None
        return (await asyncio.wait_for(self.process.stdout.readline(), 30)).decode().strip()


@asynccontextmanager
async def receiving(program: str, folder: Path, owner: Api) -> AsyncIterator[Receiver]:
    """Run a program of the page as the receiver of an endpoint of its own, while the context lasts."""
    (folder / program).write_text(PROGRAMS[program])
    (folder / "node_modules").symlink_to(PACKAGES)
    port = unused_port()
    registered = await owner.post("/webhooks", {"url": f"http://127.0.0.1:{port}/waybill"})
    assert registered.status == 201, registered.text
    environment = {**os.environ, "PORT": str(port), "WEBHOOK_SECRET": registered.body["secret"]}
    process = await asyncio.create_subprocess_exec(
        INTERPRETERS[program], program, cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Receiver(process, f"http://127.0.0.1:{port}", registered.headers["Location"])
    finally:
        process.kill()
        await process.wait()
        assert (await owner.ask("DELETE", registered.headers["Location"])).status == 204


async def until_tested(receiver: Receiver, owner: Api) -> Json:
    """Send test messages until the receiver has started and confirms one; return that attempt."""

    async def confirmed() -> Json | None:
        attempt: Json = (await owner.post(f"{receiver.endpoint}/test", {})).body
        return attempt if attempt["error"] is None else None

    return await eventually(confirmed, within_s=30)


async def delivered(receiver: Receiver, owner: Api, *, attempts: int = 1) -> list[Json]:
    """Wait until every delivery is confirmed after at least so many attempts; return them, newest first."""

    async def all_confirmed() -> list[Json] | None:
        listed: list[Json] = (await owner.get(f"{receiver.endpoint}/deliveries")).body["data"]
        are_done = listed and all(each["state"] == "delivered" for each in listed)
        shown = await owner.get(f"{receiver.endpoint}/deliveries/{listed[0]['id']}") if listed else None
        return listed if are_done and shown and len(shown.body["attempts"]) >= attempts else None

    return await eventually(all_confirmed, within_s=30)


@pytest.mark.parametrize("program", sorted(INTERPRETERS))
async def test_a_receiver_of_the_page_gets_each_change_once(
    program: str, tmp_path: Path, new_client: Api, new_client_id: str, driver: Api
) -> None:
    async with receiving(program, tmp_path, new_client) as receiver:
        assert (await until_tested(receiver, new_client))["status_code"] == 204
        assert (await receiver.line()).startswith("webhook.test ")
        number = await new_client.created(shipment_body(new_client_id))
        steps = [event_body(number, step) for step in PATH_TO[Status.IN_WAREHOUSE]]
        await driver.batch_reported(steps)

        story = {
            f"shipment.{status} {number} {version}"
            for version, status in enumerate(("created", *PATH_TO[Status.IN_WAREHOUSE]), 1)
        }
        assert {await receiver.line() for _ in story} == story

        newest, *_ = await delivered(receiver, new_client)
        again = await new_client.post(f"{receiver.endpoint}/deliveries/{newest['id']}/retry", {})
        assert again.status == 202
        await delivered(receiver, new_client, attempts=2)
        other = await new_client.created(shipment_body(new_client_id))
        assert await receiver.line() == f"shipment.created {other} 1", "the repeated one is not printed"


@pytest.mark.parametrize("program", sorted(INTERPRETERS))
async def test_a_receiver_of_the_page_refuses_what_is_not_signed(
    program: str, tmp_path: Path, new_client: Api
) -> None:
    async with receiving(program, tmp_path, new_client) as receiver:
        await until_tested(receiver, new_client)
        async with open_api(receiver.url) as stranger:
            forged = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
            for headers in ({}, forged):
                response = await stranger.post("/waybill", {"type": "shipment.delivered"}, headers=headers)
                assert response.status == 400


def test_the_receivers_have_twenty_lines() -> None:
    assert PROGRAMS.keys() == INTERPRETERS.keys()
    for program in PROGRAMS.values():
        assert len([line for line in program.splitlines() if line.strip()]) <= TWENTY_LINES
