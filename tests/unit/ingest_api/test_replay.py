"""POST /dead-letters/{id}/replay."""

import pytest

from domain.dead_letters import Place
from domain.errors import NotPublished, StoreUnavailable, TransientError
from domain.permissions import Principal
from domain.ports import Replayed
from domain.status import Status
from tests.support.builders import report
from tests.unit.ingest_api.doubles import CLIENT, DRIVER, Ingest

EVENT_ID = report(Status.PICKED_UP).event_id
PATH = "/dead-letters/dl_3_17/replay"


@pytest.fixture(autouse=True)
def _letters(ingest: Ingest) -> None:
    ingest.replayer.letters = {Place(3, 17): Replayed(EVENT_ID), Place(3, 18): Replayed(None)}


async def test_a_dead_event_is_queued_again_and_can_be_looked_up(ingest: Ingest) -> None:
    reply = await ingest.ask("POST", PATH)
    assert reply.status == 202
    assert reply.body == {"id": "dl_3_17", "status": "queued", "event_id": EVENT_ID}
    assert reply.headers["Location"] == f"/events/{EVENT_ID}"
    assert ingest.replayer.replayed == [Place(3, 17)]


async def test_a_dead_letter_that_cannot_be_read_has_nothing_to_look_up(ingest: Ingest) -> None:
    reply = await ingest.ask("POST", "/dead-letters/dl_3_18/replay")
    assert (reply.status, reply.body) == (202, {"id": "dl_3_18", "status": "queued"})
    assert "Location" not in reply.headers


@pytest.mark.parametrize("name", ["dl_3_19", "dl_4_17", "dl_x_y", "evt_1", "dl_3_17x", "%00"])
async def test_a_dead_letter_that_is_not_there_is_404(ingest: Ingest, name: str) -> None:
    reply = await ingest.ask("POST", f"/dead-letters/{name}/replay")
    assert (reply.status, reply.body["error"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(("caller", "status"), [(CLIENT, 403), (DRIVER, 403), (None, 401)])
async def test_only_an_admin_replays(ingest: Ingest, caller: Principal | None, status: int) -> None:
    assert (await ingest.ask("POST", PATH, caller=caller)).status == status
    assert ingest.replayer.replayed == []


@pytest.mark.parametrize("trouble", [StoreUnavailable("away"), NotPublished("away")])
async def test_what_may_not_be_in_the_log_is_answered_with_503(
    ingest: Ingest, trouble: TransientError
) -> None:
    ingest.replayer.fail_next("replay", trouble)
    assert (await ingest.ask("POST", PATH)).status == 503
