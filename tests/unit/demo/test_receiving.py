"""The demo's receiver: each message is verified, and each change is counted once, by its id."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest
from standardwebhooks import Webhook

from demo.run.api import Api, log_in
from demo.run.gateway import Gateway
from demo.run.receiving import Inbox, receiving
from domain.shipments.event_identity import EventId
from tests.unit.demo.stand_in import SECRET, StandIn

FIRST, SECOND = EventId("evt_1"), EventId("evt_2")
OWN = "make demo"


@pytest.fixture
async def api(gateway: Gateway) -> Api:
    return await log_in(gateway)


@pytest.fixture
async def inbox(api: Api) -> AsyncIterator[Inbox]:
    async with receiving(api) as opened:
        assert opened is not None
        yield opened


async def send(stand_in: StandIn, message_id: str, event_id: str, *, secret: str = SECRET) -> int:
    """Send a message as the stack would, and return the status of the response."""
    [endpoint] = stand_in.endpoints.values()
    now, body = datetime.now(UTC), json.dumps({"data": {"event": {"event_id": event_id}}})
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, body),
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(endpoint["url"], data=body, headers=headers) as response,
    ):
        return response.status


async def test_each_change_counts_once_however_often_it_is_sent(stand_in: StandIn, inbox: Inbox) -> None:
    for message_id, event_id in (("msg_1", FIRST), ("msg_2", SECOND), ("msg_1", FIRST)):
        assert await send(stand_in, message_id, event_id) == 204
    seen: list[int] = []
    received = await inbox.expect({FIRST, SECOND}, seen.append, patience_s=0)
    assert (received.changes, received.told, received.repeated) == (2, 2, 1)
    assert received.differences == []
    assert sum(seen) == 2


async def test_a_change_without_a_message_is_a_difference(stand_in: StandIn, inbox: Inbox) -> None:
    await send(stand_in, "msg_1", FIRST)
    received = await inbox.expect({FIRST, SECOND}, lambda _: None, patience_s=0)
    assert (received.told, received.differences) == (1, ["evt_2: applied, but no webhook came"])


async def test_a_change_under_two_ids_is_a_difference(stand_in: StandIn, inbox: Inbox) -> None:
    for message_id in ("msg_1", "msg_2"):
        await send(stand_in, message_id, FIRST)
    received = await inbox.expect({FIRST}, lambda _: None, patience_s=0)
    assert received.differences == ["evt_1: webhooks with 2 ids"]


async def test_what_is_not_signed_counts_for_nothing(stand_in: StandIn, inbox: Inbox) -> None:
    assert await send(stand_in, "msg_1", FIRST, secret="whsec_" + "A" * 32) == 400
    received = await inbox.expect({FIRST}, lambda _: None, patience_s=0)
    assert received.differences == [
        "evt_1: applied, but no webhook came",
        "1 webhooks without a valid signature",
    ]


async def test_its_endpoint_is_removed_with_those_of_interrupted_runs(stand_in: StandIn, api: Api) -> None:
    stand_in.endpoints = {
        "wh_old": {"id": "wh_old", "description": OWN},
        "wh_another": {"id": "wh_another", "description": None},
    }
    async with receiving(api):
        [own] = [each for each in stand_in.endpoints.values() if each["description"] == OWN]
        assert own["id"] != "wh_old"
        assert own["url"].startswith("http://127.0.0.1:")
    assert list(stand_in.endpoints) == ["wh_another"]


async def test_a_stack_that_does_not_send_here_is_run_without_webhooks(stand_in: StandIn, api: Api) -> None:
    stand_in.allows_loopback = False
    async with receiving(api) as inbox:
        assert inbox is None
