"""Replay of one dead letter and of several."""

import pytest

from domain.access.permissions import Principal
from domain.errors import NotPublished, PublishUnknown, StoreUnavailable, TransientError
from domain.ports.dead_letters import Replayed
from domain.processing.dead_letter import RecordPosition
from domain.shipments.status import Status
from tests.support.builders import report
from tests.unit.ingest_api.doubles import ADMIN, CLIENT, DRIVER, Ingest

EVENT_ID = report(Status.PICKED_UP).event_id
PATH = "/dead-letters/dl_3_17/replay"
MANY = "/dead-letters/replay"


@pytest.fixture(autouse=True)
def _dead_letters(ingest: Ingest) -> None:
    ingest.replayer.dead_letters = {
        RecordPosition(3, 17): Replayed(EVENT_ID),
        RecordPosition(3, 18): Replayed(None),
    }


async def test_a_dead_event_is_queued_again_and_can_be_looked_up(ingest: Ingest) -> None:
    response = await ingest.ask("POST", PATH)
    assert response.status == 202
    assert response.body == {"id": "dl_3_17", "status": "queued", "event_id": EVENT_ID}
    assert response.headers["Location"] == f"/events/{EVENT_ID}"
    assert ingest.replayer.replayed == [RecordPosition(3, 17)]
    assert ingest.replayer.asked_by == [ADMIN.subject]


async def test_unreadable_dead_letter_has_no_location(ingest: Ingest) -> None:
    response = await ingest.ask("POST", "/dead-letters/dl_3_18/replay")
    assert (response.status, response.body) == (202, {"id": "dl_3_18", "status": "queued"})
    assert "Location" not in response.headers


@pytest.mark.parametrize("name", ["dl_3_19", "dl_4_17", "dl_x_y", "evt_1", "dl_3_17x", "%00"])
async def test_unknown_dead_letter_is_404(ingest: Ingest, name: str) -> None:
    response = await ingest.ask("POST", f"/dead-letters/{name}/replay")
    assert (response.status, response.body["error"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(("caller", "status"), [(CLIENT, 403), (DRIVER, 403), (None, 401)])
async def test_only_an_admin_replays(ingest: Ingest, caller: Principal | None, status: int) -> None:
    assert (await ingest.ask("POST", PATH, caller=caller)).status == status
    assert (await ingest.post(MANY, {"ids": ["dl_3_17"]}, caller=caller)).status == status
    assert ingest.replayer.replayed == []


@pytest.mark.parametrize("trouble", [StoreUnavailable("away"), NotPublished("away")])
async def test_replay_that_may_not_be_in_the_log_is_503(ingest: Ingest, trouble: TransientError) -> None:
    ingest.replayer.fail_next("replay", trouble)
    assert (await ingest.ask("POST", PATH)).status == 503
    ingest.replayer.dead_letters[RecordPosition(3, 17)] = trouble
    assert (await ingest.ask("POST", PATH)).status == 503


async def test_results_of_several_replays_are_in_the_order_of_the_request(ingest: Ingest) -> None:
    ingest.replayer.dead_letters |= {
        RecordPosition(4, 0): NotPublished("away"),
        RecordPosition(4, 1): PublishUnknown("lost"),
    }
    ids = ["dl_3_18", "dl_9_9", "dl_4_0", "dl_3_17", "dl_4_1", "dl_03_1", "dl_3_17"]
    response = await ingest.post(MANY, {"ids": ids})
    assert (response.status, response.body["received"], response.body["queued"]) == (202, 7, 3)
    again = {"id": "dl_3_17", "status": "queued", "event_id": EVENT_ID}
    assert response.body["items"] == [
        {"id": "dl_3_18", "status": "queued"},
        {"id": "dl_9_9", "status": "not_found"},
        {"id": "dl_4_0", "status": "error", "message": "it is not in the log"},
        again,
        {"id": "dl_4_1", "status": "error", "message": "it may be in the log: sending it again is safe"},
        {"id": "dl_03_1", "status": "not_found"},
        again,
    ]
    assert ingest.replayer.replayed == [RecordPosition(3, 18), RecordPosition(3, 17)], "each once"


@pytest.mark.parametrize("ids", [["dl_4_0"], ["dl_4_0", "dl_9_9"]])
async def test_several_replays_of_which_none_succeeds_are_503(ingest: Ingest, ids: list[str]) -> None:
    ingest.replayer.dead_letters[RecordPosition(4, 0)] = NotPublished("away")
    assert (await ingest.post(MANY, {"ids": ids})).status == 503


async def test_several_unknown_dead_letters_are_202(ingest: Ingest) -> None:
    response = await ingest.post(MANY, {"ids": ["dl_9_9"]})
    assert (response.status, response.body["items"]) == (202, [{"id": "dl_9_9", "status": "not_found"}])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"ids": []}, "/ids"),
        ({"ids": ["dl_0_0"] * 101}, "/ids"),
        ({"ids": ["dl_0_0", "evt_1"]}, "/ids/1"),
        ({"ids": ["dl_0_0"], "force": True}, "/force"),
        ({}, "/ids"),
    ],
)
async def test_invalid_replay_is_400(ingest: Ingest, body: object, pointer: str) -> None:
    response = await ingest.post(MANY, body)
    assert (response.status, response.pointers) == (400, [pointer])
