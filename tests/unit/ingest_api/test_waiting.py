"""`Prefer: wait`: awaited outcomes, durations and responses."""

import asyncio
import time
from datetime import timedelta

import pytest

from domain.shipments.rejection import RejectionReason
from domain.shipments.status import Status
from ingest_api.use_cases.submission import CommandSubmitter, SubmissionContext
from tests.support.builders import NOON, NUMBER, creation
from tests.support.fakes import InMemoryCommandLog, InMemoryReplyInbox
from tests.support.waiting import wait_until
from tests.unit.ingest_api.bodies import event_body, shipment_body
from tests.unit.ingest_api.doubles import ADMIN, CLIENT, DRIVER, Ingest, Says

WRITES = [
    ("POST", "/events", event_body(), 200),
    ("POST", "/shipments", shipment_body(), 201),
    ("PATCH", f"/shipments/{NUMBER}", {"package": {"weight_kg": 1}}, 200),
    ("DELETE", f"/shipments/{NUMBER}", b"", 200),
]


async def test_event_without_prefer_wait_returns_at_once(ingest: Ingest) -> None:
    ingest.inbox.script.append(Says("rejected", RejectionReason.INVALID_TRANSITION))
    for prefer in ("", "respond-async", "wait", "wait=soon", "wait=31", "wait=-1"):
        response = await ingest.post("/events", event_body(), caller=DRIVER, Prefer=prefer)
        assert (response.status, response.body["status"]) == (202, "queued")
        assert "Preference-Applied" not in response.headers
    assert {appended.reply_to for appended in ingest.log.appended} == {None}


async def test_event_applied_in_time_is_200(ingest: Ingest) -> None:
    response = await ingest.post("/events", event_body(), caller=DRIVER, Prefer="respond-async, WAIT=2")
    [command] = ingest.log.commands
    assert response.status == 200
    assert response.body == {
        "event_id": command.event_id,
        "status": "applied",
        "tracking_number": NUMBER,
        "message": "Event applied",
    }
    assert response.headers["Preference-Applied"] == "wait=2"
    assert response.headers["Location"] == f"/events/{command.event_id}"


@pytest.mark.parametrize(
    ("says", "status"),
    [
        (Says("rejected", RejectionReason.INVALID_TRANSITION), 409),
        (Says("rejected", RejectionReason.SHIPMENT_NOT_FOUND), 404),
        (Says("applied", RejectionReason.IDEMPOTENCY_CONFLICT), 409),
    ],
)
async def test_event_that_was_not_applied_returns_the_reason(ingest: Ingest, says: Says, status: int) -> None:
    ingest.inbox.script.append(says)
    response = await ingest.post("/events", event_body(), Prefer="wait=2")
    assert (response.status, response.body["status_code"], response.body["error"]) == (
        status,
        status,
        says.reason,
    )
    assert response.headers["Preference-Applied"] == "wait=2"
    assert response.headers["Location"] == f"/events/{ingest.log.commands[0].event_id}"


@pytest.mark.parametrize(
    ("current", "message"),
    [
        ("created", "the shipment is created; picked_up or cancelled may follow"),
        ("in_transit", "the shipment is in_transit; delivered may follow"),
        ("delivered", "the shipment is delivered; nothing can follow"),
    ],
)
async def test_a_forbidden_transition_names_the_status_and_what_may_follow(
    ingest: Ingest, current: str, message: str
) -> None:
    says = Says("rejected", RejectionReason.INVALID_TRANSITION, current_status=Status(current))
    for method, path, body, _ in WRITES:
        if path != "/shipments":
            ingest.inbox.script.append(says)
            response = await ingest.ask(method, path, body, Prefer="wait=2")
            assert (response.status, response.body["error"]) == (409, "INVALID_TRANSITION")
            assert response.body["message"] == message


async def test_a_client_hears_until_when_it_might_have_changed_its_shipment(ingest: Ingest) -> None:
    for method, body in (("PATCH", {"weight_kg": 1}), ("DELETE", b"")):
        for current in (Status.PICKED_UP, Status.DELIVERED):
            says = Says("rejected", RejectionReason.INVALID_TRANSITION, current_status=current)
            ingest.inbox.script.append(says)
            response = await ingest.ask(method, f"/shipments/{NUMBER}", body, caller=CLIENT)
            assert response.status == 409
            ends = "; nothing can follow" if current is Status.DELIVERED else "only while it is created"
            assert response.body["message"].endswith(ends)


async def test_event_that_is_held_says_until_when(ingest: Ingest) -> None:
    until = NOON + timedelta(hours=24)
    early = Says(
        "rejected", RejectionReason.INVALID_TRANSITION, current_status=Status.CREATED, held_until=until
    )
    ingest.inbox.script.append(early)
    response = await ingest.post("/events", event_body(), Prefer="wait=2")
    assert (response.status, response.body["error"]) == (409, "INVALID_TRANSITION")
    assert response.body["held_until"] == "2026-03-02T12:00:00.000Z"
    assert response.body["message"] == (
        "the shipment is created; picked_up or cancelled may follow. "
        "The event is held, and applied once its status may follow"
    )


@pytest.mark.parametrize(
    ("current", "allowed"),
    [
        (Status.CREATED, "checkpoints may follow once it is picked up"),
        (Status.DELIVERED, "nothing can follow"),
    ],
)
async def test_checkpoint_that_is_too_early_or_too_late_learns_so(
    ingest: Ingest, current: Status, allowed: str
) -> None:
    ingest.inbox.script.append(Says("rejected", RejectionReason.INVALID_TRANSITION, current_status=current))
    event = event_body()
    event["checkpoint"] = "on_hold"
    del event["status"]
    response = await ingest.post("/events", event, Prefer="wait=2")
    assert response.body["message"] == f"the shipment is {current}; {allowed}"


@pytest.mark.parametrize("says", [None, Says("dead")])
async def test_event_without_an_outcome_in_time_is_202(ingest: Ingest, says: Says | None) -> None:
    ingest.inbox.script.append(says)
    response = await ingest.post("/events", event_body(), Prefer="wait=1")
    assert (response.status, response.body["status"]) == (202, "queued")
    assert response.headers["Preference-Applied"] == "wait=1"


@pytest.mark.parametrize(("method", "path", "body", "status"), WRITES)
async def test_a_wait_is_granted_on_every_write(
    ingest: Ingest, method: str, path: str, body: object, status: int
) -> None:
    response = await ingest.ask(method, path, body, Prefer="wait=30")
    assert (response.status, response.headers["Preference-Applied"]) == (status, "wait=30")


@pytest.mark.parametrize(("method", "path", "body", "status"), WRITES)
async def test_wait_of_zero_returns_at_once(
    ingest: Ingest,
    method: str,
    path: str,
    body: object,
    status: int,  # noqa: ARG001  # of the answer that is not waited for
) -> None:
    response = await ingest.ask(method, path, body, Prefer="wait=0")
    assert (response.status, response.headers["Preference-Applied"]) == (202, "wait=0")
    assert ingest.log.appended[0].reply_to is None


@pytest.mark.parametrize("prefer", ["wait=1", ""])
async def test_the_default_wait_is_overridden(ingest: Ingest, prefer: str) -> None:
    ingest.inbox.script.append(None)
    started = time.monotonic()
    response = await ingest.post("/shipments", shipment_body(), Prefer=prefer)
    assert response.status == 202
    assert (time.monotonic() - started > 0.9) == (prefer == "wait=1")


async def test_waiting_requests_get_their_response_at_shutdown() -> None:
    log, inbox = InMemoryCommandLog(), InMemoryReplyInbox()
    awaited = CommandSubmitter(log, inbox)
    waiting = [
        asyncio.create_task(awaited.append(creation(), SubmissionContext(ADMIN, wait_s=30))) for _ in range(3)
    ]
    await wait_until(lambda: len(inbox.replies.waiting) == 3, what="three who wait")
    awaited.stop_waiting()
    assert await asyncio.wait_for(asyncio.gather(*waiting), 5) == [None, None, None]
    late = awaited.append(creation(), SubmissionContext(ADMIN, wait_s=30))
    assert await asyncio.wait_for(late, 5) is None
    assert len(log.commands) == 4


async def test_shutdown_may_coincide_with_the_end_of_a_wait() -> None:
    log, inbox = InMemoryCommandLog(), InMemoryReplyInbox()
    awaited = CommandSubmitter(log, inbox)
    waiting = asyncio.create_task(awaited.append(creation(), SubmissionContext(ADMIN, wait_s=0.05)))
    await wait_until(lambda: len(inbox.replies.waiting) == 1, what="one who waits")
    stopped = asyncio.get_running_loop().create_future()

    def stop() -> None:
        try:
            awaited.stop_waiting()
        except RuntimeError as error:
            stopped.set_exception(error)
        else:
            stopped.set_result(None)

    asyncio.get_running_loop().call_later(0.06, stop)
    time.sleep(0.2)  # noqa: ASYNC251  # the fault itself: both are due in one turn of the loop
    await stopped
    assert await waiting is None
