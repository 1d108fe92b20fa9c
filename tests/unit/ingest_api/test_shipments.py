"""Creation of shipments: permissions, responses and idempotency."""

from dataclasses import replace

import pytest

from domain.access.permissions import Principal, Role
from domain.errors import NotPublished, PublishUnknown, TransientError
from domain.shipments.commands import CreateShipment
from domain.shipments.event_identity import creation_event_id
from domain.shipments.rejection import RejectionReason
from domain.shipments.tracking_number import is_tracking_number, tracking_number_from
from tests.unit.ingest_api.bodies import shipment_body, without
from tests.unit.ingest_api.doubles import ADMIN, CLIENT, DRIVER, Ingest, Says

TAKEN = Says(reason=RejectionReason.TRACKING_NUMBER_TAKEN)
CONFLICT = Says(reason=RejectionReason.IDEMPOTENCY_CONFLICT)


def creations(ingest: Ingest) -> list[CreateShipment]:
    """Return the creations in the log."""
    return [command for command in ingest.log.commands if isinstance(command, CreateShipment)]


async def test_created_shipment_is_201(ingest: Ingest) -> None:
    response = await ingest.post("/shipments", shipment_body())
    [command] = creations(ingest)
    assert response.status == 201
    assert response.body == {
        "tracking_number": command.tracking_number,
        "status": "created",
        "created_at": "2026-03-01T12:00:00.000Z",
        "client_id": "client_001",
    }
    assert response.headers["Location"] == f"/shipments/{command.tracking_number}"
    assert is_tracking_number(command.tracking_number)


async def test_log_has_the_shipment_as_sent_with_sender_and_time(ingest: Ingest) -> None:
    body = shipment_body()
    await ingest.post("/shipments", body, caller=CLIENT)
    [command] = creations(ingest)
    assert (command.client_id, command.submitted_by) == ("client_001", "client_user_001")
    assert (command.origin, command.destination, command.package) == (
        body["origin"],
        body["destination"],
        body["package"],
    )
    assert command.timestamp == command.received_at == ingest.clock.now()
    assert (command.event_id, command.request_key) == (creation_event_id(command.tracking_number), None)


async def test_creation_carries_its_reply_address(ingest: Ingest) -> None:
    await ingest.post("/shipments", shipment_body())
    [appended] = ingest.log.appended
    assert appended.reply_to == "answers:0"


@pytest.mark.parametrize("trouble", [None, NotPublished("no connection")])
async def test_no_waiter_is_left_after_the_response(ingest: Ingest, trouble: NotPublished | None) -> None:
    ingest.inbox.script.append(None)
    if trouble is not None:
        ingest.log.fail_next("append", trouble)
    await ingest.post("/shipments", shipment_body())
    assert ingest.inbox.waiting == 0


@pytest.mark.parametrize("redis", ["silent", "gone"])
async def test_shipment_without_an_outcome_in_time_is_202(ingest: Ingest, redis: str) -> None:
    ingest.inbox.script.append(None)
    ingest.inbox.reachable = redis == "silent"
    response = await ingest.post("/shipments", shipment_body())
    [appended] = ingest.log.appended
    assert response.status == 202
    assert response.body["event_id"] == appended.command.event_id
    assert (response.body["status"], response.body["tracking_number"]) == (
        "queued",
        appended.command.tracking_number,
    )
    assert response.headers["Location"] == f"/events/{appended.command.event_id}"
    assert (appended.reply_to is None) == (redis == "gone")


@pytest.mark.parametrize("trouble", [NotPublished("no connection"), PublishUnknown("no answer")])
@pytest.mark.parametrize("reachable", [True, False])
async def test_creation_that_may_not_be_in_the_log_is_503_with_retry_after(
    ingest: Ingest,
    trouble: TransientError,
    reachable: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    ingest.inbox.reachable = reachable
    ingest.log.fail_next("append", trouble)
    response = await ingest.post("/shipments", shipment_body())
    assert (response.status, response.body["error"]) == (503, "SERVICE_UNAVAILABLE")
    assert "Retry-After" in response.headers


async def test_repeated_request_returns_the_number_and_response_of_the_first(ingest: Ingest) -> None:
    first = await ingest.post("/shipments", shipment_body(), Idempotency_Key="order 17")
    again = await ingest.post("/shipments", shipment_body(), Idempotency_Key="order 17")
    assert (again.status, again.body) == (201, first.body)
    one, other = creations(ingest)
    assert (one.tracking_number, one.request_key) == (other.tracking_number, other.request_key)
    assert one.request_key is not None


async def test_idempotency_key_is_per_user(ingest: Ingest) -> None:
    for caller in (ADMIN, CLIENT, replace(CLIENT, subject="client_user_009")):
        await ingest.post("/shipments", shipment_body(), caller=caller, Idempotency_Key="1")
    assert len({command.tracking_number for command in creations(ingest)}) == 3
    assert len({command.request_key for command in creations(ingest)}) == 3


async def test_a_key_used_for_another_shipment_is_unprocessable(ingest: Ingest) -> None:
    ingest.inbox.script.append(CONFLICT)
    response = await ingest.post("/shipments", shipment_body(), Idempotency_Key="1")
    assert (response.status, response.body["error"]) == (422, "IDEMPOTENCY_CONFLICT")
    assert len(creations(ingest)) == 1


@pytest.mark.parametrize("headers", [{}, {"Idempotency_Key": "1"}])
async def test_taken_tracking_number_is_followed_by_the_next(ingest: Ingest, headers: dict[str, str]) -> None:
    ingest.entropy.extend(bytes([index] * 7) for index in range(3))
    ingest.inbox.script.extend([TAKEN, TAKEN, Says()])
    response = await ingest.post("/shipments", shipment_body(), caller=ADMIN, **headers)
    numbers = [command.tracking_number for command in creations(ingest)]
    assert (response.status, response.body["tracking_number"]) == (201, numbers[2])
    assert len(set(numbers)) == 3
    if not headers:
        assert numbers == [tracking_number_from(bytes([index] * 7)) for index in range(3)]


async def test_repeated_request_skips_the_same_taken_numbers(ingest: Ingest) -> None:
    for _ in range(2):
        ingest.inbox.script.extend([TAKEN, Says()])
        await ingest.post("/shipments", shipment_body(), Idempotency_Key="1")
    numbers = [command.tracking_number for command in creations(ingest)]
    assert numbers[:2] == numbers[2:]


@pytest.mark.parametrize(
    ("key", "good"),
    [("x", True), ("a b~", True), ("x" * 255, True), ("x" * 256, False), ("", False), ("schlüssel", False)],
)
async def test_malformed_idempotency_key_is_400(ingest: Ingest, key: str, good: bool) -> None:  # noqa: FBT001  # a parameter
    response = await ingest.post("/shipments", shipment_body(), Idempotency_Key=key)
    assert response.status == (201 if good else 400)
    assert good or response.body["error"] == "VALIDATION_ERROR"
    assert len(creations(ingest)) == good


async def test_client_may_leave_client_id_out(ingest: Ingest) -> None:
    response = await ingest.post("/shipments", without(shipment_body(), "client_id"), caller=CLIENT)
    assert response.status == 201
    assert creations(ingest)[0].client_id == "client_001"


async def test_a_client_registers_for_itself_only(ingest: Ingest) -> None:
    response = await ingest.post("/shipments", shipment_body(client_id="client_002"), caller=CLIENT)
    assert (response.status, response.body["error"]) == (403, "FORBIDDEN")
    assert creations(ingest) == []


async def test_admin_registers_for_any_client_and_must_send_client_id(ingest: Ingest) -> None:
    assert (await ingest.post("/shipments", shipment_body(client_id="client_002"))).status == 201
    response = await ingest.post("/shipments", without(shipment_body(), "client_id"))
    assert (response.status, response.pointers) == (400, ["/client_id"])
    assert [command.client_id for command in creations(ingest)] == ["client_002"]


@pytest.mark.parametrize(("caller", "status"), [(DRIVER, 403), (None, 401)])
async def test_producers_register_nothing(ingest: Ingest, caller: Principal | None, status: int) -> None:
    assert (await ingest.post("/shipments", shipment_body(), caller=caller)).status == status
    assert creations(ingest) == []


async def test_invalid_shipment_is_rejected_with_every_fault(ingest: Ingest) -> None:
    response = await ingest.post("/shipments", {"origin": {}, "package": {"weight_kg": 0}})
    assert response.status == 400
    assert set(response.pointers) == {
        "/origin/address",
        "/origin/coordinates",
        "/destination",
        "/package/weight_kg",
    }


def test_tests_cover_all_roles() -> None:
    assert {ADMIN.role, CLIENT.role, DRIVER.role} == set(Role)
