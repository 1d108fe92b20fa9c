"""POST /events and POST /events/batch."""

from datetime import UTC, datetime

import pytest

from domain.errors import NotPublished, PublishUnknown, TransientError
from domain.shipments.commands import ReportCheckpoint, ReportStatus
from domain.shipments.event_identity import event_id
from domain.shipments.status import REPORTABLE, Status
from tests.support.builders import NUMBER
from tests.unit.ingest_api.bodies import Body, event_body, without
from tests.unit.ingest_api.doubles import ADMIN, CLIENT, DRIVER, Ingest

AT = datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
EVENT_ID = event_id(NUMBER, AT, "scanner-1")


async def test_event_returns_its_id_once_the_log_has_it(ingest: Ingest) -> None:
    response = await ingest.post("/events", event_body(), caller=DRIVER)
    assert response.status == 202
    assert response.body == {
        "event_id": EVENT_ID,
        "status": "queued",
        "tracking_number": NUMBER,
        "message": "Event accepted for processing",
    }
    assert response.headers["Location"] == f"/events/{EVENT_ID}"


async def test_log_has_the_event_as_sent_with_sender_and_time(ingest: Ingest) -> None:
    await ingest.post("/events", event_body(), caller=DRIVER, traceparent=TRACEPARENT)
    [appended] = ingest.log.appended
    assert appended.command == ReportStatus(
        event_id=EVENT_ID,
        tracking_number=NUMBER,
        status=Status.PICKED_UP,
        timestamp=AT,
        source="scanner-1",
        received_at=ingest.clock.now(),
        submitted_by="driver_user_001",
        location={"lat": 4.6, "lng": -74.1, "address": "Bogotá"},
        notes="at the gate",
    )
    assert (appended.traceparent, appended.reply_to) == (TRACEPARENT, None)


@pytest.mark.parametrize(
    "timestamp", ["2026-03-01T12:00:00.123Z", "2026-03-01T07:00:00.123-05:00", "2026-03-01T12:00:00.123999Z"]
)
async def test_one_instant_is_one_event_however_it_is_written(ingest: Ingest, timestamp: str) -> None:
    response = await ingest.post("/events", event_body(timestamp=timestamp))
    assert response.body["event_id"] == EVENT_ID


@pytest.mark.parametrize(
    ("timestamp", "offset"),
    [
        ("2026-03-01T12:00:00.123Z", None),
        ("2026-03-01T06:00:00.123-06:00", "-06:00"),
        ("2026-03-01T17:45:00.123+05:45", "+05:45"),
    ],
)
async def test_utc_offset_of_the_timestamp_is_stored(
    ingest: Ingest, timestamp: str, offset: str | None
) -> None:
    await ingest.post("/events", event_body(timestamp=timestamp))
    await ingest.post("/events/batch", {"events": [event_body(timestamp=timestamp)]})
    for command in ingest.log.commands:
        assert isinstance(command, ReportStatus)
        assert (command.timestamp, command.utc_offset) == (AT, offset)


async def test_delivery_has_the_name_of_who_signed(ingest: Ingest) -> None:
    await ingest.post("/events", event_body(status="delivered", signed_by="María Peña"))
    [command] = ingest.log.commands
    assert isinstance(command, ReportStatus)
    assert command.signed_by == "María Peña"


@pytest.mark.parametrize("status", [each for each in REPORTABLE if each is not Status.DELIVERED])
async def test_nobody_signs_for_another_status_than_delivered(ingest: Ingest, status: Status) -> None:
    event = event_body(status=status, signed_by="María Peña")
    response = await ingest.post("/events", event)
    assert (response.status, response.pointers) == (400, ["/signed_by"])
    response = await ingest.post("/events/batch", {"events": [event_body(), event]})
    assert (response.status, response.pointers) == (400, ["/events/1/signed_by"])
    assert (await ingest.post("/events", event_body(status=status, signed_by=None))).status == 202


def checkpoint_body(**members: object) -> Body:
    return without(event_body(checkpoint="arrived_at_hub"), "status") | members


@pytest.mark.parametrize("code", ["out_for_delivery", "a", "x" * 64, "ours_2"])
async def test_log_has_the_checkpoint_as_sent(ingest: Ingest, code: str) -> None:
    event = checkpoint_body(checkpoint=code, status=None, signed_by=None)
    assert (await ingest.post("/events", event, caller=DRIVER)).status == 202
    assert (await ingest.post("/events/batch", {"events": [event_body(), event]})).status == 400
    assert (await ingest.post("/events/batch", {"events": [event]})).status == 202
    for command in ingest.log.commands:
        assert command == ReportCheckpoint(
            event_id=EVENT_ID,
            tracking_number=NUMBER,
            checkpoint=code,
            timestamp=AT,
            source="scanner-1",
            received_at=ingest.clock.now(),
            submitted_by=command.submitted_by,
            location={"lat": 4.6, "lng": -74.1, "address": "Bogotá"},
            notes="at the gate",
        )


@pytest.mark.parametrize(
    ("event", "pointers"),
    [
        (event_body(checkpoint="on_hold"), {"/status"}),
        (without(event_body(), "status"), {"/status"}),
        (event_body(status=None), {"/status"}),
        (event_body(status=None, checkpoint=None), {"/status"}),
        (without(event_body(source=""), "status"), {"/status", "/source"}),
        (event_body(status="lost", checkpoint="on_hold"), {"/status"}),
        (checkpoint_body(checkpoint=""), {"/checkpoint"}),
        (checkpoint_body(checkpoint="On_hold"), {"/checkpoint"}),
        (checkpoint_body(checkpoint="9"), {"/checkpoint"}),
        (checkpoint_body(checkpoint="on_hold\n"), {"/checkpoint"}),
        (checkpoint_body(checkpoint="x" * 65), {"/checkpoint"}),
        (checkpoint_body(checkpoint=7), {"/checkpoint"}),
        (checkpoint_body(signed_by="Ana"), {"/signed_by"}),
    ],
)
async def test_an_event_says_either_a_status_or_a_checkpoint(
    ingest: Ingest, event: Body, pointers: set[str]
) -> None:
    response = await ingest.post("/events", event)
    assert (response.status, set(response.pointers)) == (400, pointers)
    line = await ingest.post("/events/batch", {"events": [event]})
    assert (line.status, set(line.pointers)) == (400, {f"/events/0{each}" for each in pointers})
    assert ingest.log.commands == []


async def test_batch_returns_the_id_of_each_event(ingest: Ingest) -> None:
    events = [event_body(), event_body(source="scanner-2"), event_body()]
    response = await ingest.post("/events/batch", {"events": events})
    assert response.status == 202
    assert (response.body["received"], response.body["queued"]) == (3, 3)
    assert [item["index"] for item in response.body["events"]] == [0, 1, 2]
    assert {item["status"] for item in response.body["events"]} == {"queued"}
    ids = [command.event_id for command in ingest.log.commands]
    assert [item["event_id"] for item in response.body["events"]] == ids
    assert ids[0] == ids[2] == EVENT_ID


async def test_one_invalid_event_rejects_the_whole_batch(ingest: Ingest) -> None:
    response = await ingest.post("/events/batch", {"events": [event_body(), event_body(source="api")]})
    assert (response.status, response.body["error"]) == (400, "VALIDATION_ERROR")
    assert response.pointers == ["/events/1/source"]
    assert ingest.log.commands == []


@pytest.mark.parametrize(
    ("path", "body"), [("/events", event_body()), ("/events/batch", {"events": [event_body()]})]
)
@pytest.mark.parametrize("trouble", [NotPublished("no connection"), PublishUnknown("no answer")])
async def test_event_that_may_not_be_in_the_log_is_503_with_retry_after(
    ingest: Ingest, path: str, body: object, trouble: TransientError
) -> None:
    ingest.log.fail_next("append", trouble)
    response = await ingest.post(path, body)
    assert (response.status, response.body["error"]) == (503, "SERVICE_UNAVAILABLE")
    assert int(response.headers["Retry-After"]) >= 1
    assert str(trouble) not in response.body["message"]
    assert (await ingest.post(path, body)).status == 202


async def test_invalid_events_are_rejected_with_every_fault(ingest: Ingest) -> None:
    response = await ingest.post("/events", event_body(tracking_number="99M-1", status="created", extra=1))
    assert response.status == response.body["status_code"] == 400
    assert set(response.pointers) == {"/tracking_number", "/status", "/extra"}


async def test_clients_may_not_report_events(ingest: Ingest) -> None:
    for path, body in (("/events", event_body()), ("/events/batch", {"events": [event_body()]})):
        assert (await ingest.post(path, body, caller=CLIENT)).status == 403
        assert (await ingest.post(path, body, caller=None)).status == 401
    assert ingest.log.commands == []


@pytest.mark.parametrize("caller", [ADMIN, DRIVER])
async def test_admins_and_producers_may_report_events(ingest: Ingest, caller: object) -> None:
    response = await ingest.post("/events", event_body(), caller=DRIVER if caller is DRIVER else ADMIN)
    assert response.status == 202


async def test_batch_of_a_thousand_is_accepted_and_one_more_is_not(ingest: Ingest) -> None:
    events = [event_body(source=f"scanner-{index}") for index in range(1001)]
    assert (await ingest.post("/events/batch", {"events": events})).status == 400
    assert (await ingest.post("/events/batch", {"events": events[:1000]})).status == 202
    assert len(ingest.log.commands) == 1000


async def test_a_body_over_the_limit_is_too_large(ingest: Ingest) -> None:
    response = await ingest.post("/events/batch", b" " * (2 * 1024 * 1024 + 1))
    assert (response.status, response.body["error"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("body", [b"{", b"NaN", b'{"notes": NaN}', b"\x00"])
async def test_malformed_json_is_rejected(ingest: Ingest, body: bytes) -> None:
    response = await ingest.post("/events", body)
    assert response.status == 400
    assert ingest.log.commands == []
