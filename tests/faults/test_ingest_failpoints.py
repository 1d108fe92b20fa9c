"""Crashes at every point at which an ingest-api can die: the client retries every unanswered request."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from domain.shipments.event_identity import EventId
from domain.shipments.status import Status
from tests.e2e.traffic import event_body, shipment_body
from tests.faults.matrix import Row
from tests.support.api import Api, Response
from tests.support.builders import creation, number
from tests.support.crashing.ingest_points import IngestPoint
from tests.support.crashing.processes import KILLED, exit_code
from tests.support.crashing.striking import struck, watched
from tests.support.history import Sent, violations
from tests.support.ingest import ingest_process, ingesting
from tests.support.site import Site, processing

pytestmark = [pytest.mark.stack, pytest.mark.fault(Row.INGEST_KILLED)]

NUMBERS = [number(index) for index in range(20)]
EVENT = event_body(NUMBERS[0], Status.PICKED_UP)
BATCH = [event_body(each, Status.PICKED_UP) for each in NUMBERS]
SHIPMENT = shipment_body()
KEY = {"Idempotency-Key": "the same again"}
KNOWN = [creation(each) for each in NUMBERS]

Request = Callable[[Api], Awaitable[Response]]


async def post_event(api: Api) -> Response:
    return await api.post("/events", EVENT)


async def post_batch(api: Api) -> Response:
    return await api.post("/events/batch", {"events": BATCH})


async def post_shipment(api: Api) -> Response:
    return await api.post("/shipments", SHIPMENT, headers=KEY)


@dataclass(frozen=True, slots=True)
class Walk:
    """Situation that reaches a point, and what the log holds afterwards.

    Attributes:
        kept: how many records there are; None where nobody can know.
        risky: walked in `make test`, too.
    """

    point: IngestPoint
    request: Request
    kept: int | None = None
    risky: bool = False


WALKS = (
    Walk(IngestPoint.BEFORE_APPEND, post_event, kept=0),
    Walk(IngestPoint.BEFORE_APPEND, post_batch, kept=0),
    Walk(IngestPoint.BEFORE_APPEND, post_shipment, kept=0),
    Walk(IngestPoint.AFTER_HANDOVER, post_event, risky=True),
    Walk(IngestPoint.AFTER_HANDOVER, post_batch),
    Walk(IngestPoint.AFTER_HANDOVER, post_shipment),
    Walk(IngestPoint.AFTER_FIRST_PARTITION, post_batch, risky=True),
    Walk(IngestPoint.BEFORE_ANSWER, post_event, kept=1),
    Walk(IngestPoint.BEFORE_ANSWER, post_shipment, kept=1),
    Walk(IngestPoint.AFTER_APPEND, post_event, kept=1, risky=True),
    Walk(IngestPoint.AFTER_APPEND, post_batch, kept=len(BATCH), risky=True),
    Walk(IngestPoint.AFTER_APPEND, post_shipment, kept=1, risky=True),
    Walk(IngestPoint.AFTER_OUTCOME, post_event, kept=1),
    Walk(IngestPoint.AFTER_OUTCOME, post_shipment, kept=1, risky=True),
)


def test_every_point_is_walked() -> None:
    assert {walk.point for walk in WALKS} == set(IngestPoint)


async def test_every_point_is_still_passed_by_a_write(site: Site, tmp_path: Path) -> None:
    passed = tmp_path / "passed"
    async with processing(site), ingest_process(site, "watched", watched(passed)) as (_, api):
        for request in (post_shipment, post_event, post_batch):
            assert (await request(api)).status in (201, 202)
    assert set(passed.read_text().split()) == {point.name for point in IngestPoint}


@pytest.mark.parametrize(
    "walk",
    [
        pytest.param(
            walk,
            id=f"{walk.point.name.lower()}-{walk.request.__name__}",
            marks=() if walk.risky else pytest.mark.long,
        )
        for walk in WALKS
    ],
)
async def test_a_request_that_killed_an_ingest_api_is_applied_once_when_retried(
    site: Site, walk: Walk
) -> None:
    await site.send(KNOWN)
    async with processing(site), ingesting(site) as healthy:
        async with ingest_process(site, "doomed", struck(walk.point)) as (doomed, api):
            with pytest.raises(aiohttp.ClientError):
                await walk.request(api)
            assert await exit_code(doomed) == KILLED
        kept = len((await site.observed()).log) - len(KNOWN)
        response = await walk.request(healthy)
        await site.finished()
    assert response.status in (201, 202), response.text
    assert walk.kept in (None, kept)
    if walk.point is IngestPoint.AFTER_FIRST_PARTITION:
        assert 0 < kept < len(BATCH), "one partition's part, and not the other's"
    assert await wrong(site, ids_in(response)) == []


def ids_in(response: Response) -> list[EventId]:
    """Return the ids of the events that a response says are stored."""
    body = response.body
    if response.status == 201:
        return [creation(body["tracking_number"]).event_id]
    return [event["event_id"] for event in body.get("events", [body])]


async def wrong(site: Site, repeated: Sequence[EventId]) -> list[str]:
    """Return the violations: the first attempt may be in the log, the second is."""
    sent = [Sent(command.event_id) for command in KNOWN]
    return violations(await site.observed(), [*sent, *(Sent(each, 1, unknown=1) for each in repeated)])
