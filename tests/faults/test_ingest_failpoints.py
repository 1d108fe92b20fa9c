"""The walk over all points at which an ingest-api can die: the client repeats what it heard no answer to."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from domain.shipments.event_identity import EventId
from domain.shipments.status import Status
from tests.e2e.traffic import event_body, shipment_body
from tests.faults.matrix import Row
from tests.support.api import Answer, Api
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

Request = Callable[[Api], Awaitable[Answer]]


async def post_event(api: Api) -> Answer:
    return await api.post("/events", EVENT)


async def post_batch(api: Api) -> Answer:
    return await api.post("/events/batch", {"events": BATCH})


async def post_shipment(api: Api) -> Answer:
    return await api.post("/shipments", SHIPMENT, headers=KEY)


@dataclass(frozen=True, slots=True)
class Walk:
    """How a point is reached, and what the log holds then of what was sent.

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


async def test_every_point_still_lies_on_the_way_of_a_write(site: Site, tmp_path: Path) -> None:
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
async def test_what_an_ingest_api_died_over_is_applied_once_when_it_is_repeated(
    site: Site, walk: Walk
) -> None:
    await site.send(KNOWN)
    async with processing(site), ingesting(site) as healthy:
        async with ingest_process(site, "doomed", struck(walk.point)) as (doomed, api):
            with pytest.raises(aiohttp.ClientError):
                await walk.request(api)
            assert await exit_code(doomed) == KILLED
        kept = len((await site.observed()).log) - len(KNOWN)
        answer = await walk.request(healthy)
        await site.finished()
    assert answer.status in (201, 202), answer.text
    assert walk.kept in (None, kept)
    if walk.point is IngestPoint.AFTER_FIRST_PARTITION:
        assert 0 < kept < len(BATCH), "one partition's part, and not the other's"
    assert await wrong(site, ids_in(answer)) == []


def ids_in(answer: Answer) -> list[EventId]:
    """Return the ids of the events that an answer says are kept."""
    body = answer.body
    if answer.status == 201:
        return [creation(body["tracking_number"]).event_id]
    return [event["event_id"] for event in body.get("events", [body])]


async def wrong(site: Site, repeated: Sequence[EventId]) -> list[str]:
    """Return what is not as it must be: the first sending may be in the log, the second is."""
    sent = [Sent(command.event_id) for command in KNOWN]
    return violations(await site.observed(), [*sent, *(Sent(each, 1, unknown=1) for each in repeated)])
