"""Error reports to Sentry: errors of the log, without request data."""

from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
import structlog
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from servicekit.error_reports import error_reports
from servicekit.settings import Environment, ServiceSettings

DSN = "https://key@errors.example/1"


class RecordedReports(Transport):
    """Transport that records events."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        event = envelope.get_event()
        assert event is not None
        self.events.append(dict(event))


@pytest.fixture
def reports() -> Iterator[RecordedReports]:
    kept = RecordedReports()
    settings = ServiceSettings(env=Environment.PRODUCTION, instance_id="host-1")
    report = error_reports(DSN, settings, service="processor", transport=kept)
    structlog.configure(
        processors=[report, structlog.processors.JSONRenderer(default=repr)],
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    yield kept
    structlog.reset_defaults()
    sentry_sdk.init()


def test_an_error_is_reported_with_its_line(reports: RecordedReports) -> None:
    structlog.get_logger().error("partition_halted", partition="shipments.events/3")
    (event,) = reports.events
    assert (event["message"], event["level"]) == ("partition_halted", "error")
    assert event["contexts"]["line"]["partition"] == "shipments.events/3"
    assert (event["server_name"], event["tags"]["service"]) == ("host-1", "processor")


def fail(*, password: str) -> None:
    raise KeyError(len(password))


def test_a_traceback_is_reported_without_values(reports: RecordedReports) -> None:
    try:
        fail(password="hunter2")  # noqa: S106  # the value that must not be sent
    except KeyError:
        structlog.get_logger().exception("request_failed", path="/events")
    (event,) = reports.events
    (fault,) = event["exception"]["values"]
    assert (fault["type"], fault["stacktrace"]["frames"][-1]["function"]) == ("KeyError", "fail")
    assert [frame["vars"] for frame in fault["stacktrace"]["frames"] if "vars" in frame] == []


def test_warning_is_not_reported(reports: RecordedReports) -> None:
    structlog.get_logger().warning("batch_retried")
    assert reports.events == []
