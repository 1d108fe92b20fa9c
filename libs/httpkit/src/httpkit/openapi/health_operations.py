"""Descriptions of the health routes."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from pydantic import ConfigDict, TypeAdapter
from typing_extensions import TypedDict

from httpkit.openapi.identifiers import Instant
from httpkit.openapi.operations import Key, Operation, ResponseSpec, json_content
from httpkit.response.error_codes import ErrorCode
from httpkit.server.health import State


class HealthReport(TypedDict):
    """State of a service and of its dependencies."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]  # pydantic's way with a TypedDict
    status: State
    timestamp: Instant
    checks: dict[str, State]


_REPORT: Final = TypeAdapter(HealthReport)


def _example(status: State, **checks: State) -> dict[str, object]:
    return {"status": status, "timestamp": "2026-11-02T14:15:02.118Z", "checks": checks}


_OK: Final = _example(State.OK, database=State.OK, cache=State.OK, event_queue=State.OK)
_DOWN: Final = _example(State.DOWN, database=State.DOWN, cache=State.OK, event_queue=State.OK)


def _operation(name: str, summary: str) -> Operation:
    return Operation(
        name=name,
        tag="health",
        summary=summary,
        responses={
            200: ResponseSpec(
                "Healthy, or degraded: working without its cache.", json_content(_REPORT, ok=_OK)
            ),
            503: ResponseSpec("A required dependency is down.", json_content(_REPORT, down=_DOWN)),
        },
        # The one fault of a request without a token, a body or a query: an unsupported `Expect`.
        errors_at={HTTPStatus.EXPECTATION_FAILED: (ErrorCode.VALIDATION_ERROR,)},
    )


OPERATIONS: Final[Mapping[Key, Operation]] = {
    ("GET", "/health"): _operation("getHealth", "Get the health of the service and its dependencies"),
    ("POST", "/health"): _operation("postHealth", "Get the health, for probes that can only POST"),
    ("GET", "/health/live"): _operation("getLiveness", "Check that the process is alive"),
    ("GET", "/health/ready"): _operation("getReadiness", "Check that the service is ready for traffic"),
}
