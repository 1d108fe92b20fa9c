"""POST /shipments: who may, what is answered when, and that repeating it makes nothing new."""

from dataclasses import replace

import pytest

from domain.access.permissions import Principal, Role
from domain.errors import ErrorCode, NotPublished, PublishUnknown, TransientError
from domain.shipments.commands import CreateShipment
from domain.shipments.event_identity import creation_event_id
from domain.shipments.tracking_number import is_tracking_number, tracking_number_from
from tests.unit.ingest_api.bodies import shipment_body, without
from tests.unit.ingest_api.doubles import ADMIN, CLIENT, DRIVER, Ingest, Says

TAKEN = Says(reason=ErrorCode.TRACKING_NUMBER_TAKEN)
CONFLICT = Says(reason=ErrorCode.IDEMPOTENCY_CONFLICT)


def creations(ingest: Ingest) -> list[CreateShipment]:
    """Return the creations in the log."""
    return [command for command in ingest.log.commands if isinstance(command, CreateShipment)]


async def test_a_shipment_that_exists_now_is_answered_with_201(ingest: Ingest) -> None:
    reply = await ingest.post("/shipments", shipment_body())
    [command] = creations(ingest)
    assert reply.status == 201
    assert reply.body == {
        "tracking_number": command.tracking_number,
        "status": "created",
        "created_at": "2026-03-01T12:00:00.000Z",
        "client_id": "client_001",
    }
    assert reply.headers["Location"] == f"/shipments/{command.tracking_number}"
    assert is_tracking_number(command.tracking_number)


async def test_what_stands_in_the_log_is_what_was_sent_with_who_and_when(ingest: Ingest) -> None:
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


async def test_the_creation_says_where_its_answer_is_waited_for(ingest: Ingest) -> None:
    await ingest.post("/shipments", shipment_body())
    [appended] = ingest.log.appended
    assert appended.reply_to == "answers:0"


@pytest.mark.parametrize("trouble", [None, NotPublished("no connection")])
async def test_nobody_is_left_waiting_when_the_request_is_answered(
    ingest: Ingest, trouble: NotPublished | None
) -> None:
    ingest.inbox.script.append(None)
    if trouble is not None:
        ingest.log.fail_next("append", trouble)
    await ingest.post("/shipments", shipment_body())
    assert ingest.inbox.waiting == 0


@pytest.mark.parametrize("redis", ["silent", "gone"])
async def test_a_shipment_that_is_not_applied_within_the_wait_is_answered_with_202(
    ingest: Ingest, redis: str
) -> None:
    ingest.inbox.script.append(None)
    ingest.inbox.reachable = redis == "silent"
    reply = await ingest.post("/shipments", shipment_body())
    [appended] = ingest.log.appended
    assert reply.status == 202
    assert reply.body["event_id"] == appended.command.event_id
    assert (reply.body["status"], reply.body["tracking_number"]) == (
        "queued",
        appended.command.tracking_number,
    )
    assert reply.headers["Location"] == f"/events/{appended.command.event_id}"
    assert (appended.reply_to is None) == (redis == "gone")


@pytest.mark.parametrize("trouble", [NotPublished("no connection"), PublishUnknown("no answer")])
@pytest.mark.parametrize("reachable", [True, False])
async def test_what_may_not_be_in_the_log_is_answered_with_503_and_try_again(
    ingest: Ingest,
    trouble: TransientError,
    reachable: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    ingest.inbox.reachable = reachable
    ingest.log.fail_next("append", trouble)
    reply = await ingest.post("/shipments", shipment_body())
    assert (reply.status, reply.body["error"]) == (503, "SERVICE_UNAVAILABLE")
    assert "Retry-After" in reply.headers


async def test_a_repeated_request_has_the_number_and_the_answer_of_the_first(ingest: Ingest) -> None:
    first = await ingest.post("/shipments", shipment_body(), Idempotency_Key="order 17")
    again = await ingest.post("/shipments", shipment_body(), Idempotency_Key="order 17")
    assert (again.status, again.body) == (201, first.body)
    one, other = creations(ingest)
    assert (one.tracking_number, one.request_key) == (other.tracking_number, other.request_key)
    assert one.request_key is not None


async def test_a_key_is_its_users_own(ingest: Ingest) -> None:
    for caller in (ADMIN, CLIENT, replace(CLIENT, subject="client_user_009")):
        await ingest.post("/shipments", shipment_body(), caller=caller, Idempotency_Key="1")
    assert len({command.tracking_number for command in creations(ingest)}) == 3
    assert len({command.request_key for command in creations(ingest)}) == 3


async def test_a_key_used_for_another_shipment_is_unprocessable(ingest: Ingest) -> None:
    ingest.inbox.script.append(CONFLICT)
    reply = await ingest.post("/shipments", shipment_body(), Idempotency_Key="1")
    assert (reply.status, reply.body["error"]) == (422, "IDEMPOTENCY_CONFLICT")
    assert len(creations(ingest)) == 1


@pytest.mark.parametrize("headers", [{}, {"Idempotency_Key": "1"}])
async def test_a_number_that_is_taken_is_followed_by_the_next(
    ingest: Ingest, headers: dict[str, str]
) -> None:
    ingest.entropy.extend(bytes([index] * 7) for index in range(3))
    ingest.inbox.script.extend([TAKEN, TAKEN, Says()])
    reply = await ingest.post("/shipments", shipment_body(), caller=ADMIN, **headers)
    numbers = [command.tracking_number for command in creations(ingest)]
    assert (reply.status, reply.body["tracking_number"]) == (201, numbers[2])
    assert len(set(numbers)) == 3
    if not headers:
        assert numbers == [tracking_number_from(bytes([index] * 7)) for index in range(3)]


async def test_a_repeated_request_walks_the_same_way_past_taken_numbers(ingest: Ingest) -> None:
    for _ in range(2):
        ingest.inbox.script.extend([TAKEN, Says()])
        await ingest.post("/shipments", shipment_body(), Idempotency_Key="1")
    numbers = [command.tracking_number for command in creations(ingest)]
    assert numbers[:2] == numbers[2:]


@pytest.mark.parametrize(
    ("key", "good"),
    [("x", True), ("a b~", True), ("x" * 255, True), ("x" * 256, False), ("", False), ("schlüssel", False)],
)
async def test_an_idempotency_key_has_a_form(ingest: Ingest, key: str, good: bool) -> None:  # noqa: FBT001  # a parameter
    reply = await ingest.post("/shipments", shipment_body(), Idempotency_Key=key)
    assert reply.status == (201 if good else 400)
    assert good or reply.body["error"] == "VALIDATION_ERROR"
    assert len(creations(ingest)) == good


async def test_a_client_need_not_say_who_it_is(ingest: Ingest) -> None:
    reply = await ingest.post("/shipments", without(shipment_body(), "client_id"), caller=CLIENT)
    assert reply.status == 201
    assert creations(ingest)[0].client_id == "client_001"


async def test_a_client_registers_for_itself_only(ingest: Ingest) -> None:
    reply = await ingest.post("/shipments", shipment_body(client_id="client_002"), caller=CLIENT)
    assert (reply.status, reply.body["error"]) == (403, "FORBIDDEN")
    assert creations(ingest) == []


async def test_an_admin_registers_for_anybody_and_must_say_for_whom(ingest: Ingest) -> None:
    assert (await ingest.post("/shipments", shipment_body(client_id="client_002"))).status == 201
    reply = await ingest.post("/shipments", without(shipment_body(), "client_id"))
    assert (reply.status, reply.pointers) == (400, ["/client_id"])
    assert [command.client_id for command in creations(ingest)] == ["client_002"]


@pytest.mark.parametrize(("caller", "status"), [(DRIVER, 403), (None, 401)])
async def test_others_register_nothing(ingest: Ingest, caller: Principal | None, status: int) -> None:
    assert (await ingest.post("/shipments", shipment_body(), caller=caller)).status == status
    assert creations(ingest) == []


async def test_a_bad_shipment_is_refused_with_every_fault(ingest: Ingest) -> None:
    reply = await ingest.post("/shipments", {"origin": {}, "package": {"weight_kg": 0}})
    assert reply.status == 400
    assert set(reply.pointers) == {
        "/origin/address",
        "/origin/coordinates",
        "/destination",
        "/package/weight_kg",
    }


def test_the_roles_of_these_tests_are_all_there_are() -> None:
    assert {ADMIN.role, CLIENT.role, DRIVER.role} == set(Role)
