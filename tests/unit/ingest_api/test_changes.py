"""Amendments and cancellations: commands in the log, and responses."""

from datetime import timedelta

import pytest

from domain.access.permissions import Principal
from domain.errors import NotPublished
from domain.shipments.commands import AmendShipment, ReportStatus
from domain.shipments.event_identity import event_id
from domain.shipments.rejection import RejectionReason
from domain.shipments.status import Status
from tests.support.builders import NOON, NUMBER
from tests.unit.ingest_api.doubles import ADMIN, CLIENT, DRIVER, Ingest, Says

PATH = f"/shipments/{NUMBER}"
CHANGES = {"origin": {"address": "Carrera 7"}, "package": {"weight_kg": 3.5}}
ID = event_id(NUMBER, NOON, "api")
CONFLICT = Says(reason=RejectionReason.IDEMPOTENCY_CONFLICT)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
METHODS = ("PATCH", "DELETE")


def body_of(method: str) -> object:
    return CHANGES if method == "PATCH" else b""


@pytest.mark.parametrize(("caller", "client"), [(CLIENT, "client_001"), (ADMIN, None)])
async def test_amendment_in_the_log_has_changes_sender_time_and_client(
    ingest: Ingest, caller: Principal, client: str | None
) -> None:
    await ingest.ask("PATCH", PATH, CHANGES, caller=caller, traceparent=TRACE)
    [appended] = ingest.log.appended
    assert appended.command == AmendShipment(
        event_id=ID,
        tracking_number=NUMBER,
        changes={"origin": {"address": "Carrera 7"}, "package": {"weight_kg": 3.5}},
        timestamp=NOON,
        received_at=NOON,
        submitted_by=caller.subject,
        on_behalf_of=client,
    )
    assert (appended.reply_to, appended.traceparent) == ("answers:0", TRACE)


@pytest.mark.parametrize(("caller", "client"), [(CLIENT, "client_001"), (ADMIN, None)])
async def test_cancellation_is_a_status_with_source_api(
    ingest: Ingest, caller: Principal, client: str | None
) -> None:
    await ingest.ask("DELETE", PATH, caller=caller)
    assert ingest.log.commands == [
        ReportStatus(
            event_id=ID,
            tracking_number=NUMBER,
            status=Status.CANCELLED,
            timestamp=NOON,
            source="api",
            received_at=NOON,
            submitted_by=caller.subject,
            on_behalf_of=client,
        )
    ]


@pytest.mark.parametrize("method", METHODS)
async def test_applied_change_returns_the_new_state(ingest: Ingest, method: str) -> None:
    ingest.inbox.script.append(Says(status=Status.CREATED, version=2))
    response = await ingest.ask(method, PATH, body_of(method))
    assert response.status == 200
    assert response.body == {"tracking_number": NUMBER, "status": "created", "version": 2, "event_id": ID}
    assert "Preference-Applied" not in response.headers


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("redis", ["silent", "gone"])
async def test_change_without_an_outcome_in_time_is_202(ingest: Ingest, method: str, redis: str) -> None:
    ingest.inbox.script.append(None)
    ingest.inbox.reachable = redis == "silent"
    response = await ingest.ask(method, PATH, body_of(method))
    assert (response.status, response.body["status"], response.body["event_id"]) == (202, "queued", ID)
    assert response.headers["Location"] == f"/events/{ID}"
    assert ingest.inbox.waiting == 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (RejectionReason.FORBIDDEN, 403),
        (RejectionReason.SHIPMENT_NOT_FOUND, 404),
        (RejectionReason.INVALID_TRANSITION, 409),
        (RejectionReason.INCOMPLETE_DIMENSIONS, 409),
    ],
)
async def test_rejected_change_returns_its_reason(
    ingest: Ingest, method: str, reason: RejectionReason, status: int
) -> None:
    ingest.inbox.script.append(Says("rejected", reason))
    response = await ingest.ask(method, PATH, body_of(method), Prefer="wait=3")
    assert (response.status, response.body["error"]) == (status, reason)
    assert (response.headers["Location"], response.headers["Preference-Applied"]) == (
        f"/events/{ID}",
        "wait=3",
    )


async def test_two_changes_of_one_millisecond_are_two_events(ingest: Ingest) -> None:
    for _ in range(3):
        assert (await ingest.ask("PATCH", PATH, CHANGES)).status == 200
    times = [command.timestamp for command in ingest.log.commands]
    assert times == [NOON + timedelta(milliseconds=each) for each in range(3)]
    assert len({command.event_id for command in ingest.log.commands}) == 3


@pytest.mark.parametrize("method", METHODS)
async def test_change_is_retried_if_another_replica_has_used_its_timestamp(
    ingest: Ingest, method: str
) -> None:
    ingest.inbox.script.extend([CONFLICT, Says(status=Status.CREATED, version=3)])
    response = await ingest.ask(method, PATH, body_of(method))
    first, second = ingest.log.commands
    assert (response.status, response.body["event_id"]) == (200, second.event_id)
    assert second.timestamp == first.timestamp + timedelta(milliseconds=1)


async def test_change_without_a_free_timestamp_is_a_conflict(ingest: Ingest) -> None:
    ingest.inbox.script.extend([CONFLICT] * 3)
    response = await ingest.ask("PATCH", PATH, CHANGES)
    assert (response.status, response.body["error"]) == (409, "IDEMPOTENCY_CONFLICT")
    assert len(ingest.log.commands) == 3


@pytest.mark.parametrize("method", METHODS)
async def test_change_that_may_not_be_in_the_log_is_503(ingest: Ingest, method: str) -> None:
    ingest.log.fail_next("append", NotPublished("no connection"))
    response = await ingest.ask(method, PATH, body_of(method))
    assert (response.status, response.body["error"]) == (503, "SERVICE_UNAVAILABLE")
    assert "Retry-After" in response.headers


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("number", ["99M-1", f"{NUMBER.lower()}0", f"{NUMBER}0", NUMBER.replace("0", "U")])
async def test_malformed_tracking_number_is_400(ingest: Ingest, method: str, number: str) -> None:
    response = await ingest.ask(method, f"/shipments/{number}", body_of(method))
    assert (response.status, response.body["error"]) == (400, "VALIDATION_ERROR")
    assert ingest.log.commands == []


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("caller", "status"), [(DRIVER, 403), (None, 401)])
async def test_callers_without_the_permission_change_nothing(
    ingest: Ingest, method: str, caller: Principal | None, status: int
) -> None:
    assert (await ingest.ask(method, PATH, body_of(method), caller=caller)).status == status
    assert ingest.log.commands == []


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, [""]),
        ({"client_id": "client_002"}, ["/client_id"]),
        ({"origin": {}}, [""]),
        ({"origin": None}, [""]),
        ({"origin": {"address": None}, "package": {"dimensions": {}}}, [""]),
        ({"weight_kg": None}, [""]),
        ([], [""]),
        ({"origin_lat": 1.0}, ["/origin_lng"]),
        ({"destination_lng": 1.0, "weight_kg": 0}, ["/weight_kg", "/destination_lat"]),
        ({"client_id": "client_002", "width_cm": 3}, ["/client_id"]),
        ({"weight_kg": 1, "height_cm": 2, "package": {"weight_kg": 1}}, ["/weight_kg", "/height_cm"]),
        ({"origin": {"coordinates": {"lat": 1}}}, ["/origin/coordinates/lng"]),
        ({"package": {"weight_kg": 0}}, ["/package/weight_kg"]),
        (
            {"package": {"dimensions": {"length": 0, "depth": 1}}},
            ["/package/dimensions/length", "/package/dimensions/depth"],
        ),
        (
            {"destination": {"addres": "x"}, "package": {"weight_kg": -1}},
            ["/destination/addres", "/package/weight_kg"],
        ),
    ],
)
async def test_invalid_amendment_is_rejected_with_every_fault(
    ingest: Ingest, body: object, pointers: list[str]
) -> None:
    response = await ingest.ask("PATCH", PATH, body)
    assert (response.status, response.pointers) == (400, pointers)
    assert ingest.log.commands == []


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("header", "versions"),
    [(("If_Match", '"v3", "v4-gzip"'), (3, 4)), (("If_Match", "*"), None), (("If_None_Match", "*"), ())],
)
async def test_precondition_is_sent_with_the_change(
    ingest: Ingest, method: str, header: tuple[str, str], versions: tuple[int, ...] | None
) -> None:
    name, value = header
    if name == "If_Match":
        await ingest.ask(method, PATH, body_of(method), If_Match=value)
    else:
        await ingest.ask(method, PATH, body_of(method), If_None_Match=value)
    [command] = ingest.log.commands
    assert isinstance(command, AmendShipment | ReportStatus)
    assert command.expected_versions == versions


@pytest.mark.parametrize("method", METHODS)
async def test_malformed_precondition_is_400_and_nothing_is_written(ingest: Ingest, method: str) -> None:
    answer = await ingest.ask(method, PATH, body_of(method), If_Match="v3")
    assert (answer.status, answer.body["error"]) == (400, "VALIDATION_ERROR")
    assert ingest.log.commands == []


@pytest.mark.parametrize("method", METHODS)
async def test_failed_precondition_is_412(ingest: Ingest, method: str) -> None:
    ingest.inbox.script.append(Says("rejected", RejectionReason.PRECONDITION_FAILED))
    answer = await ingest.ask(method, PATH, body_of(method), If_Match='"v3"')
    assert (answer.status, answer.body["error"]) == (412, "PRECONDITION_FAILED")
    assert answer.headers["Location"] == f"/events/{ID}"


@pytest.mark.parametrize("method", METHODS)
async def test_applied_change_returns_the_new_entity_tag(ingest: Ingest, method: str) -> None:
    ingest.inbox.script.append(Says(status=Status.CREATED, version=4))
    assert (await ingest.ask(method, PATH, body_of(method))).headers["Etag"] == '"v4"'
