"""POST /events/{event_id}/retract: what it takes, and what it says of events that others have sent."""

import pytest

from domain.shipments.commands import RetractEvent
from domain.shipments.event_identity import event_id
from domain.shipments.rejection import RejectionReason
from tests.support.builders import NOON, NUMBER
from tests.unit.ingest_api.doubles import ADMIN, DRIVER, Ingest, Says

EVENT = event_id(NUMBER, NOON, "scanner-1")
PATH = f"/events/{EVENT}/retract"


@pytest.mark.parametrize("reason", [" \n\t", "\u3000"])
async def test_reason_must_say_something(ingest: Ingest, reason: str) -> None:
    response = await ingest.post(PATH, {"reason": reason}, caller=DRIVER)
    assert response.status == 400
    assert response.body["details"] == [{"pointer": "/reason", "message": "must say something"}]
    assert ingest.log.commands == []


async def test_reason_may_have_lines_and_characters_of_four_bytes(ingest: Ingest) -> None:
    reason = "😀" * 998 + "\n."
    response = await ingest.post(PATH, {"reason": reason}, caller=ADMIN)
    assert response.status == 202
    [command] = ingest.log.commands
    assert isinstance(command, RetractEvent)
    assert (command.reason, command.retracts, command.reported_by) == (reason, EVENT, None)


async def test_event_of_another_user_is_refused_for_that_reason(ingest: Ingest) -> None:
    ingest.inbox.script.append(Says("rejected", RejectionReason.FORBIDDEN))
    response = await ingest.post(PATH, {"reason": "the wrong door"}, caller=DRIVER, Prefer="wait=2")
    assert (response.status, response.body["error"]) == (403, "FORBIDDEN")
    assert response.body["message"] == (
        "only an admin can retract what others have sent, or what is older than 24 hours"
    )
