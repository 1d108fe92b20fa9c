"""Each operation of the OpenAPI document has a method, which calls it as the document says."""

import inspect
import json
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from tests.support.printed_calls import ROOT
from tests.support.scripted_server import ScriptedServer, answer
from tests.unit.clients.core.conftest import Use
from waybill import ApiError, Waybill, operations
from waybill.operations import Operation

DOCUMENT: dict[str, Any] = json.loads((ROOT / "services/query-api/src/query_api/openapi.json").read_text())
NUMBER, EVENT, KEY = "99M-GMPWC6W7SP2G", "evt_99M-GMPWC6W7SP2G_01a19c9d0aa0_jwjxcnqbgenns", "a" * 16
ENDPOINT, DELIVERY = "wh_mfzwi3ldpn5xk2lqnrsw", "msg_2kzv5m7rj3w6q4ynx5gd7tbhsapc2fue"
REPLAY, DEAD, LINK = "rp_nb2hi4dthixs65ltmvzq", "dl_7_48213", "ln_mfzwi3ldpn5xk2lqnrsw"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

# Pages for people, and the same report by another method.
WITHOUT_METHOD = {"getStart", "getDocs", "getDocsAsset", "postHealth"}

SHIPMENT: dict[str, Any] = {
    "origin_address": "a",
    "origin_lat": 1,
    "origin_lng": 2,
    "destination_address": "b",
    "destination_lat": 3,
    "destination_lng": 4,
    "weight_kg": 1.5,
    "length_cm": 1,
    "width_cm": 2,
    "height_cm": 3,
    "content_description": "x",
    "reference": "r",
    "estimated_delivery": {"earliest": NOON, "latest": NOON},
}

# What a call of the table below does not send, since it has the other form, and what paging adds.
OTHERWISE = {
    "reportEvent": {"checkpoint"},
    "reportEvents": {"status", "notes", "location", "signed_by"},
    "registerShipment": {"origin", "destination", "package"},
    "amendShipment": {"origin", "destination", "package"},
}
PAGING = {"cursor", "offset"}

CALLS: dict[str, Callable[[Any], Any]] = {
    "logIn": lambda c: c.auth.login(),
    "logOut": lambda c: c.auth.logout(),
    "changeOwnPassword": lambda c: c.auth.change_password("old", "new"),
    "exchangeApiKey": lambda c: c.auth.login(),
    "listUsers": lambda c: c.users.list(),
    "createUser": lambda c: c.users.create(
        "ana", "long enough", "producer", client_id="c", allowed_sources=["hub-"]
    ),
    "getUser": lambda c: c.users.get("ana"),
    "changeUser": lambda c: c.users.change(
        "ana", disabled=True, role="client", client_id="c", password="p" * 12, allowed_sources=["hub-"]
    ),
    "listApiKeys": lambda c: c.users.api_keys("ana"),
    "createApiKey": lambda c: c.users.create_api_key("ana"),
    "deleteApiKey": lambda c: c.users.delete_api_key("ana", KEY),
    "registerShipment": lambda c: c.shipments.create(**SHIPMENT, client_id="c", wait=3),
    "listShipments": lambda c: c.shipments.list(
        status=["created", "delivered"],
        client_id="c",
        tracking_number="99M-G",
        reference="r",
        created_from=NOON,
        created_to=NOON,
        updated_from=NOON,
        updated_to=NOON,
    ),
    "amendShipment": lambda c: c.shipments.amend(NUMBER, **SHIPMENT, if_version=1, wait=1),
    "cancelShipment": lambda c: c.shipments.cancel(NUMBER, if_version=2, wait=1),
    "getShipment": lambda c: c.shipments.get(NUMBER),
    "streamShipment": lambda c: c.shipments.stream(NUMBER, after_version=3),
    "reportEvent": lambda c: c.events.report(
        NUMBER,
        "delivered",
        source="s",
        timestamp=NOON,
        notes="n",
        signed_by="A",
        location={"lat": 1, "lng": 2, "address": "a"},
        wait=2,
    ),
    "reportEvents": lambda c: c.events.report_batch(
        [{"tracking_number": NUMBER, "checkpoint": "arrived_at_hub", "source": "s"}], lenient=True
    ),
    "getEvent": lambda c: c.events.get(EVENT),
    "retractEvent": lambda c: c.events.retract(EVENT, "the parcel beside it", wait=1),
    "listShipmentEvents": lambda c: c.shipments.events(
        NUMBER, outcome="conflict", status="created", source="s", from_=NOON, to=NOON
    ),
    "getPublicShipment": lambda c: c.public.shipment(NUMBER),
    "listLinks": lambda c: c.links.list(NUMBER),
    "createLink": lambda c: c.links.create(NUMBER),
    "deleteLink": lambda c: c.links.delete(NUMBER, LINK),
    "listWebhooks": lambda c: c.webhooks.list(client_id="c", state="active"),
    "createWebhook": lambda c: c.webhooks.create(
        "https://example.com/w",
        client_id="c",
        types=["shipment.*"],
        payload="thin",
        ordering="none",
        rate_per_s=5,
        description="d",
    ),
    "getWebhook": lambda c: c.webhooks.get(ENDPOINT),
    "changeWebhook": lambda c: c.webhooks.change(
        ENDPOINT,
        url="https://example.com/w",
        state="paused",
        types=["*"],
        payload="full",
        ordering="none",
        rate_per_s=None,
        description=None,
    ),
    "deleteWebhook": lambda c: c.webhooks.delete(ENDPOINT),
    "listWebhookDeliveries": lambda c: c.webhooks.deliveries(
        ENDPOINT, state="failed", type="shipment.*", tracking_number=NUMBER, from_=NOON, to=NOON
    ),
    "getWebhookDelivery": lambda c: c.webhooks.delivery(ENDPOINT, DELIVERY),
    "retryWebhookDelivery": lambda c: c.webhooks.retry(ENDPOINT, DELIVERY),
    "replayWebhookDeliveries": lambda c: c.webhooks.replay(
        ENDPOINT, NOON, NOON, states=["held"], types=["*"]
    ),
    "getWebhookReplay": lambda c: c.webhooks.get_replay(ENDPOINT, REPLAY),
    "rotateWebhookSecret": lambda c: c.webhooks.rotate_secret(ENDPOINT, grace_s=0),
    "testWebhook": lambda c: c.webhooks.test(ENDPOINT),
    "listDeadLetters": lambda c: c.dead_letters.list(
        state="open", reason="quarantined", tracking_number=NUMBER, from_=NOON, to=NOON
    ),
    "replayDeadLetters": lambda c: c.dead_letters.replay_all([DEAD]),
    "getDeadLetter": lambda c: c.dead_letters.get(DEAD),
    "discardDeadLetter": lambda c: c.dead_letters.discard(DEAD, "delivered meanwhile"),
    "replayDeadLetter": lambda c: c.dead_letters.replay(DEAD),
    "listOperatorActions": lambda c: c.operator_actions.list(
        action="key.released", target=NUMBER, by="ana", from_=NOON, to=NOON
    ),
    "listPartitions": lambda c: c.partitions.list(),
    "resumePartition": lambda c: c.partitions.resume(3, "looked at it", from_="next"),
    "listQuarantine": lambda c: c.quarantine.list(),
    "quarantineShipment": lambda c: c.quarantine.set(NUMBER, "two labels", only_new=True),
    "releaseShipment": lambda c: c.quarantine.release(NUMBER),
    "getHealth": lambda c: c.health(),
    "getLiveness": lambda c: c.live(),
    "getReadiness": lambda c: c.ready(),
    "getContract": lambda c: c.contract(),
}


def documented() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Return each operation's method, path and description by its name."""
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
    }


def constants() -> dict[str, Operation]:
    """Return the client's operations by the names of the document."""
    return {
        re.sub(r"_(\w)", lambda match: match[1].upper(), name.lower()): value
        for name, value in vars(operations).items()
        if isinstance(value, Operation)
    }


def test_every_operation_of_the_document_has_a_method() -> None:
    assert documented().keys() - WITHOUT_METHOD == CALLS.keys()


def test_the_operations_are_those_of_the_document() -> None:
    assert {name: (each.method, each.path, each.is_public) for name, each in constants().items()} == {
        name: (method, path, operation.get("security") == [])
        for name, (method, path, operation) in documented().items()
        if name not in WITHOUT_METHOD - {"postHealth"}
    }


@pytest.mark.parametrize("name", CALLS)
def test_a_method_sends_what_the_document_describes(use: Use, server: ScriptedServer, name: str) -> None:
    server.play(answer(418, {}))  # what the response means is tested elsewhere
    options: dict[str, Any] = {}
    if name == "exchangeApiKey":
        options = {"username": None, "password": None, "api_key": "k"}
    if name == "logOut":
        options = {"username": None, "password": None, "token": "t"}
    with suppress(ApiError):
        use(CALLS[name], retries=0, **options)
    (request,) = server.received or server.logins
    method, path, operation = documented()[name]
    assert request.method == method
    assert re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), request.path)
    assert (request.token is None) == (operation.get("security") == [])
    parameters = {each["name"]: each for each in operation.get("parameters", [])}
    described = {n for n, each in parameters.items() if each["in"] == "query"}
    assert request.query.keys() == described - PAGING
    for own in ("Idempotency-Key", "Prefer", "If-Match", "If-None-Match", "Last-Event-ID"):
        assert own.lower() not in request.headers or own in parameters
    _check_body(name, operation, request.headers.get("content-type"), request.content)


def _check_body(name: str, operation: dict[str, Any], content_type: str | None, content: bytes) -> None:
    described = operation.get("requestBody")
    if described is None:
        assert content == b""
        return
    schema = described["content"][content_type]["schema"]
    if content_type == "application/x-ndjson":
        schema = {"$ref": "#/components/schemas/EventIn"}
    body = json.loads(content)
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(body)
    assert body.keys() == _fields_of(schema) - OTHERWISE.get(name, set())


def _fields_of(schema: dict[str, Any]) -> set[str]:
    """Return the fields that a schema of a request allows, in all of its forms."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    forms: list[dict[str, Any]] = schema.get("anyOf", []) + schema.get("oneOf", [])
    return set(schema.get("properties", ())).union(*map(_fields_of, forms))


# No argument of theirs can be invalid, or their request has no such condition.
NOT_RAISED = {
    "logIn": {"BadRequest"},
    "exchangeApiKey": {"BadRequest"},
    "getShipment": {"PreconditionFailed"},
}
ERRORS = {"404": "NotFound", "409": "Conflict", "412": "PreconditionFailed"}


@pytest.mark.parametrize("name", CALLS)
def test_a_method_says_what_it_raises(name: str) -> None:
    """Besides 401, 403, 429, 5xx and no answer, which every call may have."""
    operation = documented()[name][2]
    errors = {kind for status, kind in ERRORS.items() if status in operation["responses"]}
    if "requestBody" in operation:
        errors.add("BadRequest")
    described = re.findall(r"^ +(\w+): ", _description(name), re.MULTILINE)
    assert errors - NOT_RAISED.get(name, set()) <= set(described)


def _description(name: str) -> str:
    """Return the docstring of the method that an operation is called by."""
    called: list[str] = []

    class Client:
        def __getattr__(self, step: str) -> "Client":
            called.append(step)
            return self

        def __call__(self, *_args: object, **_options: object) -> None:
            """Take any call."""

    CALLS[name](Client())
    method: Any = Waybill("http://localhost")
    for step in called:
        method = getattr(method, step)
    return inspect.getdoc(method) or ""
