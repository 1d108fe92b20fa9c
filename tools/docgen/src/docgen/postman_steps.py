"""Steps of the Postman collection: each operation at least once, in an order that works on a fresh stack.

A run registers two shipments, reports as a producer of its own, reads, and deletes what it has created: one
shipment is delivered, the other cancelled; the API key is deleted, the user disabled, the token logged out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request of the collection.

    Attributes:
        operation: the `operationId`.
        status: the one that its response must have.
        name: where an operation stands twice; otherwise its summary.
        bearer: the variable that holds the caller's token.
        example: the name of the document's example for the body; None for the first.
        body: fields that differ from the example.
        path: values for parts of the path; otherwise the example of the document.
        query: parameters that are sent, with their values.
        headers: headers that are sent, with their values.
        checks: JavaScript about `response`, the body, each line a statement.
        before: JavaScript that runs before the request.
    """

    operation: str
    status: int
    name: str | None = None
    bearer: str = "token"
    example: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    before: tuple[str, ...] = ()


def _keep(variable: str, value: str) -> str:
    return f"pm.collectionVariables.set('{variable}', {value});"


def _equals(member: str, value: str) -> str:
    return f"pm.expect(response.{member}).to.eql({value});"


def _event(status: str, number: int) -> dict[str, str]:
    """Return an event of the run's shipment; a higher number is a later instant, never in the future."""
    return {"status": status, **_at(number)}


def _at(number: int) -> dict[str, str]:
    return {
        "tracking_number": "{{tracking_number}}",
        "timestamp": f"{{{{instant_{number}}}}}",
        "source": "scanner-mex-03",
    }


_NUMBER: Final = {"tracking_number": "{{tracking_number}}"}
_OTHER: Final = {"tracking_number": "{{other_tracking_number}}"}
_SCANNER: Final = {"username": "{{scanner}}"}
_WEBHOOK: Final = {"endpoint_id": "{{webhook}}"}
_NOWHERE: Final = {"dead_letter_id": "dl_99999_0"}
_WAIT: Final = {"Prefer": "wait=10"}
_REGISTERED: Final = (
    _equals("status", "'created'"),
    _keep("tracking_number", "response.tracking_number"),
    "for (let n = 1; n <= 5; n += 1) {",
    "  const instant = new Date(Date.parse(response.created_at) + n).toISOString();",
    "  pm.collectionVariables.set(`instant_${n}`, instant);",
    "}",
)
_IS_LISTED: Final = "pm.expect(response.data).to.be.an('array');"
_IS_NOT_FOUND: Final = _equals("error", "'NOT_FOUND'")
_HAS_NO_DELIVERY: Final = _equals("error", "'DELIVERY_NOT_FOUND'")

STEPS: Final[Mapping[str, tuple[Step, ...]]] = {
    "1 Log in": (
        Step(
            operation="logIn",
            status=200,
            body={"username": "{{username}}", "password": "{{password}}"},
            checks=(_equals("token_type", "'Bearer'"), _keep("token", "response.token")),
        ),
        Step(
            operation="createUser",
            status=201,
            before=(
                _keep("scanner", "`scanner_${pm.variables.replaceIn('{{$guid}}').slice(0, 8)}`"),
                _keep("scanner_password", "pm.variables.replaceIn('{{$guid}}')"),
            ),
            body={
                "username": "{{scanner}}",
                "password": "{{scanner_password}}",
                "role": "producer",
                "allowed_sources": ["scanner-mex-", "driver-017"],
            },
            checks=(_equals("role", "'producer'"), _equals("disabled", "false")),
        ),
        Step(
            operation="createApiKey",
            status=201,
            path=_SCANNER,
            checks=(_keep("api_key", "response.api_key"), _keep("key_id", "response.id")),
        ),
        Step(
            operation="exchangeApiKey",
            status=200,
            body={"api_key": "{{api_key}}"},
            checks=(_keep("scanner_token", "response.token"),),
        ),
    ),
    "2 Register": (
        Step(
            operation="registerShipment",
            status=201,
            headers={"Idempotency-Key": "{{$guid}}", **_WAIT},
            checks=_REGISTERED,
        ),
    ),
    "3 Report": (
        Step(
            operation="reportEvent",
            status=200,
            bearer="scanner_token",
            headers=_WAIT,
            body=_event("picked_up", 1),
            checks=(_equals("status", "'applied'"), _keep("event_id", "response.event_id")),
        ),
        Step(
            operation="reportEvents",
            status=202,
            bearer="scanner_token",
            body={"events": [_event("in_warehouse", 2), _event("in_transit", 3)]},
            checks=(_equals("queued", "2"),),
        ),
        Step(
            operation="reportEvent",
            status=200,
            name="Report that it arrived at a hub",
            bearer="scanner_token",
            headers=_WAIT,
            example="at_hub",
            body=_at(4),
            checks=(_equals("status", "'applied'"), _keep("hub_event_id", "response.event_id")),
        ),
        Step(
            operation="retractEvent",
            status=200,
            name="Take back that it arrived there",
            bearer="scanner_token",
            headers=_WAIT,
            path={"event_id": "{{hub_event_id}}"},
            checks=(_equals("message", "'Event retracted'"),),
        ),
        Step(
            operation="reportEvent",
            status=200,
            name="Report that it arrived at another hub",
            bearer="scanner_token",
            headers=_WAIT,
            example="at_hub",
            body={**_at(4), "source": "scanner-mex-04"},
            checks=(_equals("status", "'applied'"),),
        ),
        Step(
            operation="reportEvent",
            status=200,
            name="Report that it was delivered",
            bearer="scanner_token",
            headers=_WAIT,
            body=_event("delivered", 5),
            checks=(_equals("status", "'applied'"),),
        ),
        Step(
            operation="reportEvent",
            status=409,
            name="Report what its status does not allow",
            bearer="scanner_token",
            headers=_WAIT,
            body={**_event("in_transit", 5), "source": "driver-017"},
            checks=(_equals("error", "'INVALID_TRANSITION'"),),
        ),
    ),
    "4 Follow": (
        Step(
            operation="getShipment",
            status=200,
            path=_NUMBER,
            checks=(
                _equals("current_status", "'delivered'"),
                _equals("status_history.length", "6"),
                _equals("status_history[4].checkpoint", "'arrived_at_hub'"),
            ),
        ),
        Step(
            operation="streamShipment",
            status=404,
            name="Follow a shipment live: not this one, for a stream is open for a minute",
            path={"tracking_number": "99M-000000000000"},
            checks=(_equals("error", "'SHIPMENT_NOT_FOUND'"),),
        ),
        Step(
            operation="listShipments",
            status=200,
            query={"tracking_number": "{{tracking_number}}"},
            checks=(_equals("pagination.total", "1"), _equals("data[0].current_status", "'delivered'")),
        ),
        Step(
            operation="listShipmentEvents",
            status=200,
            path=_NUMBER,
            query={"outcome": "rejected"},
            checks=(
                _equals("data.length", "2"),
                _equals("data[0].reason", "'RETRACTED'"),
                _equals("data[1].reason", "'INVALID_TRANSITION'"),
            ),
        ),
        Step(
            operation="getEvent",
            status=200,
            path={"event_id": "{{event_id}}"},
            checks=(_equals("outcome", "'applied'"), _equals("submitted_by", "pm.variables.get('scanner')")),
        ),
        Step(
            operation="retractEvent",
            status=409,
            bearer="scanner_token",
            headers=_WAIT,
            path={"event_id": "{{event_id}}"},
            checks=(_equals("error", "'NOT_THE_LATEST'"),),
        ),
    ),
    "5 Correct and cancel": (
        Step(
            operation="registerShipment",
            status=201,
            name="Register another shipment",
            headers={"Idempotency-Key": "{{$guid}}", **_WAIT},
            checks=(_keep("other_tracking_number", "response.tracking_number"),),
        ),
        Step(
            operation="amendShipment",
            status=200,
            path=_OTHER,
            headers=_WAIT,
            checks=(_equals("version", "2"),),
        ),
        Step(
            operation="cancelShipment",
            status=200,
            path=_OTHER,
            headers=_WAIT,
            checks=(_equals("status", "'cancelled'"),),
        ),
    ),
    "6 Operate": (
        Step(operation="listDeadLetters", status=200, query={"state": "open"}, checks=(_IS_LISTED,)),
        Step(operation="getDeadLetter", status=404, path=_NOWHERE, checks=(_IS_NOT_FOUND,)),
        Step(
            operation="replayDeadLetters",
            status=202,
            body={"ids": ["dl_99999_0"]},
            checks=(_equals("items[0].status", "'not_found'"),),
        ),
        Step(operation="replayDeadLetter", status=404, path=_NOWHERE, checks=(_IS_NOT_FOUND,)),
        Step(operation="discardDeadLetter", status=404, path=_NOWHERE, checks=(_IS_NOT_FOUND,)),
        Step(operation="listPartitions", status=200, checks=(_IS_LISTED,)),
        Step(operation="resumePartition", status=404, path={"partition": "999999"}, checks=(_IS_NOT_FOUND,)),
        Step(operation="quarantineShipment", status=200, path=_OTHER),
        Step(
            operation="listQuarantine",
            status=200,
            checks=(
                "const numbers = response.data.map((entry) => entry.tracking_number);",
                "pm.expect(numbers).to.include(pm.variables.get('other_tracking_number'));",
            ),
        ),
        Step(operation="releaseShipment", status=204, path=_OTHER),
        Step(
            operation="listOperatorActions",
            status=200,
            query={"target": "{{other_tracking_number}}"},
            checks=(_equals("data.length", "2"), _equals("data[0].action", "'key.released'")),
        ),
    ),
    "7 Subscribe": (
        Step(
            operation="createWebhook",
            status=201,
            checks=(_equals("state", "'active'"), _keep("webhook", "response.id")),
        ),
        Step(operation="listWebhooks", status=200, query={"state": "active"}, checks=(_IS_LISTED,)),
        Step(operation="getWebhook", status=200, path=_WEBHOOK, checks=(_equals("client_id", "null"),)),
        Step(operation="rotateWebhookSecret", status=200, path=_WEBHOOK),
        Step(operation="testWebhook", status=200, path=_WEBHOOK, checks=(_equals("status_code", "null"),)),
        Step(
            operation="replayWebhookDeliveries",
            status=202,
            path=_WEBHOOK,
            checks=(_keep("replay", "response.id"),),
        ),
        Step(
            operation="getWebhookReplay",
            status=200,
            path={**_WEBHOOK, "replay_id": "{{replay}}"},
            checks=(_equals("matched", "0"),),
        ),
        Step(operation="listWebhookDeliveries", status=200, path=_WEBHOOK, checks=(_IS_LISTED,)),
        Step(operation="getWebhookDelivery", status=404, path=_WEBHOOK, checks=(_HAS_NO_DELIVERY,)),
        Step(operation="retryWebhookDelivery", status=404, path=_WEBHOOK, checks=(_HAS_NO_DELIVERY,)),
        Step(operation="changeWebhook", status=200, path=_WEBHOOK, checks=(_equals("state", "'paused'"),)),
        Step(operation="deleteWebhook", status=204, path=_WEBHOOK),
    ),
    "8 Share": (
        Step(
            operation="getPublicShipment",
            status=200,
            path=_NUMBER,
            checks=(
                _equals("steps[0].status", "'created'"),
                "pm.expect(response).to.not.have.key('client_id');",
            ),
        ),
        Step(
            operation="createLink",
            status=201,
            path=_NUMBER,
            checks=(
                _keep("link", "response.id"),
                "pm.expect(response.url).to.match(/\\/track\\/99M-[0-9A-Z]{12}#[A-Za-z0-9_-]{43}$/);",
            ),
        ),
        Step(
            operation="listLinks",
            status=200,
            path=_NUMBER,
            checks=(_equals("data[0].id", "pm.variables.get('link')"),),
        ),
        Step(operation="deleteLink", status=204, path={**_NUMBER, "link_id": "{{link}}"}),
    ),
    "9 Look around": (
        Step(operation="getHealth", status=200, checks=(_equals("status", "'ok'"),)),
        Step(operation="postHealth", status=200, checks=(_equals("status", "'ok'"),)),
        Step(operation="getLiveness", status=200, checks=(_equals("status", "'ok'"),)),
        Step(operation="getReadiness", status=200, checks=(_equals("status", "'ok'"),)),
        Step(operation="getContract", status=200, checks=(_equals("info.title", "'Waybill'"),)),
        Step(operation="getStart", status=200),
        Step(operation="getDocs", status=200),
        Step(operation="getDocsAsset", status=200),
    ),
    "10 End what was created": (
        Step(
            operation="changeOwnPassword",
            status=204,
            bearer="scanner_token",
            before=(_keep("scanner_new_password", "pm.variables.replaceIn('{{$guid}}')"),),
            body={"current_password": "{{scanner_password}}", "new_password": "{{scanner_new_password}}"},
        ),
        Step(
            operation="listApiKeys",
            status=200,
            path=_SCANNER,
            checks=(_equals("data[0].id", "pm.variables.get('key_id')"),),
        ),
        Step(operation="deleteApiKey", status=204, path={**_SCANNER, "key_id": "{{key_id}}"}),
        Step(
            operation="changeUser",
            status=200,
            path=_SCANNER,
            body={"disabled": True},
            checks=(_equals("disabled", "true"),),
        ),
        Step(operation="getUser", status=200, path=_SCANNER, checks=(_equals("disabled", "true"),)),
        Step(operation="listUsers", status=200, checks=(_IS_LISTED,)),
        Step(operation="logOut", status=204),
        Step(
            operation="listShipments",
            status=401,
            name="The token is no longer valid",
            checks=(_equals("error", "'INVALID_TOKEN'"),),
        ),
    ),
}
