"""A node whose clock is an hour off: the log decides the order, and that clock the validity of a token."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from domain.shipments.status import Status
from domain.timestamps import format_timestamp
from storage.mongo.schema import SHIPMENTS, STATUS_EVENTS
from tests.e2e.tokens import signed
from tests.e2e.traffic import event_body
from tests.faults.matrix import Row
from tests.integration.processor.traffic import traffic
from tests.support.api import Api, Response
from tests.support.builders import NUMBER, ROUTE, creation
from tests.support.crashing.clocks import ahead_by
from tests.support.crashing.processes import exit_code
from tests.support.ingest import SECRET, ingest_process, renewing_ended_tokens
from tests.support.site import Site, processing, processor_process

pytestmark = [pytest.mark.stack, pytest.mark.fault(Row.CLOCK_SKEW)]

HOUR_S = 3600
ALMOST_AN_HOUR = timedelta(minutes=50)


@pytest.mark.parametrize("seconds", [-HOUR_S, HOUR_S])
async def test_a_processor_whose_clock_is_wrong_applies_the_same(site: Site, seconds: float) -> None:
    day = traffic(20, seed=21)
    await site.send(day)
    with processor_process(site, "wrong", seat="seat", env=ahead_by(seconds)) as wrong:
        await site.finished()
        wrong.terminate()
        assert await exit_code(wrong) == 0
    async with processing(site, "right", seat="seat"):
        await site.send(day)
        await site.finished()
    assert await site.violations([*day, *day], published=True) == []
    first = await site.database[STATUS_EVENTS].find_one({"outcome": "applied"})
    assert first is not None
    assert abs(first["recorded_at"] - datetime.now(UTC)) > ALMOST_AN_HOUR, "its clock was wrong"


async def test_events_from_nodes_with_different_clocks_are_applied_in_log_order(
    site: Site,
) -> None:
    await site.send([creation()])
    steps = [event_body(NUMBER, status) for status in ROUTE[:3]]
    async with (
        processing(site),
        renewing_ended_tokens(site),
        ingest_process(site, "slow", ahead_by(-HOUR_S)) as (_, slow),
        ingest_process(site, "fast", ahead_by(HOUR_S)) as (_, fast),
    ):
        for node, step in zip((fast, slow, fast), steps, strict=True):
            assert (await of_this_morning(node).post("/events", step)).status == 202
        await site.finished()
    shipment = await site.database[SHIPMENTS].find_one({"_id": NUMBER})
    assert shipment is not None
    assert [line["status"] for line in shipment["status_history"]] == ["created", *ROUTE[:3]]
    events = await site.database[STATUS_EVENTS].find(sort=[("offset", 1)]).to_list()
    assert events[1]["received_at"] - events[2]["received_at"] > 2 * ALMOST_AN_HOUR, "their clocks were wrong"


async def test_a_recent_event_is_in_the_future_for_a_slow_clock(site: Site) -> None:
    now = event_body(NUMBER, Status.PICKED_UP) | {"timestamp": format_timestamp(datetime.now(UTC))}
    soon = now | {"timestamp": format_timestamp(datetime.now(UTC) + ALMOST_AN_HOUR)}
    async with (
        renewing_ended_tokens(site),
        ingest_process(site, "slow", ahead_by(-HOUR_S)) as (_, slow),
        ingest_process(site, "fast", ahead_by(HOUR_S)) as (_, fast),
    ):
        refused = await of_this_morning(slow).post("/events", now)
        taken = [await of_this_morning(fast).post("/events", event) for event in (now, soon)]
    assert refused.status == 400
    assert "ahead" in refused.body["details"][0]["message"]
    assert [response.status for response in taken] == [202, 202]


@pytest.mark.parametrize(
    ("seconds", "just_issued", "just_expired"),
    [(-HOUR_S, 401, 202), (HOUR_S, 202, 401), (-3, 202, 401), (3, 202, 401)],
)
async def test_the_clock_of_the_node_decides_the_validity_of_a_token(
    site: Site, seconds: float, just_issued: int, just_expired: int
) -> None:
    now = int(time.time())
    issued = signed(SECRET, iat=now, exp=now + 20 * HOUR_S)
    expired = signed(SECRET, iat=now - 20 * HOUR_S, exp=now - HOUR_S // 2)
    async with (
        renewing_ended_tokens(site),
        ingest_process(site, "wrong", ahead_by(seconds)) as (_, node),
    ):
        assert (await report(of_this_morning(node))).status == 202, "most tokens are older than an hour"
        assert (await report(node.by(issued))).status == just_issued
        assert (await report(node.by(expired))).status == just_expired


def of_this_morning(node: Api) -> Api:
    """Give the same connections to somebody who logged in two hours ago."""
    now = int(time.time())
    return node.by(signed(SECRET, iat=now - 2 * HOUR_S, exp=now + 20 * HOUR_S))


async def report(node: Api) -> Response:
    """Report an event that happened yesterday."""
    return await node.post("/events", event_body(NUMBER, Status.PICKED_UP))
