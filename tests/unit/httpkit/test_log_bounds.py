"""Rate limit of the log: floods of lines are suppressed and counted."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import LogCapture

from servicekit.log_bounds import LINES_PER_S, MOST_NAMES, SUPPRESSED, LogRateLimit


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def written() -> Iterator[LogCapture]:
    """Capture the lines that are not suppressed."""
    captured = LogCapture()
    clock = Clock()
    structlog.configure(processors=[LogRateLimit(clock), captured], cache_logger_on_first_use=False)
    captured.clock = clock  # type: ignore[attr-defined]
    yield captured
    structlog.reset_defaults()


def names(captured: LogCapture) -> list[str]:
    return [entry["event"] for entry in captured.entries]


def test_a_few_lines_of_each_name_pass(written: LogCapture) -> None:
    log = structlog.get_logger()
    for _ in range(50):
        log.warning("dependency_unavailable")
        log.warning("batch_retried")
    assert sorted(set(names(written))) == ["batch_retried", "dependency_unavailable"]
    assert len(written.entries) == 2 * LINES_PER_S


def test_suppressed_lines_are_reported_with_the_next_line_of_that_name(written: LogCapture) -> None:
    log = structlog.get_logger()
    for _ in range(LINES_PER_S + 7):
        log.warning("dependency_unavailable")
    written.clock.now_s += 1.0  # type: ignore[attr-defined]
    log.warning("dependency_unavailable")
    report, last = written.entries[-2:]
    assert (report["event"], report["line"], report["count"]) == (SUPPRESSED, "dependency_unavailable", 7)
    assert last["event"] == "dependency_unavailable"


async def test_suppressed_lines_are_reported_after_a_second_without_request_fields(
    written: LogCapture,
) -> None:
    structlog.contextvars.bind_contextvars(request_id="one-of-many")
    for _ in range(LINES_PER_S + 3):
        structlog.get_logger().warning("dependency_unavailable")
    async with asyncio.timeout(5):
        while written.entries[-1]["event"] != SUPPRESSED:  # noqa: ASYNC110  # a timer writes it
            await asyncio.sleep(0.02)
    assert written.entries[-1]["count"] == 3
    assert "request_id" not in written.entries[-1]


def test_slow_sequence_of_lines_passes_whole(written: LogCapture) -> None:
    for _ in range(60):
        structlog.get_logger().warning("dependency_unavailable")
        written.clock.now_s += 0.5  # type: ignore[attr-defined]
    assert names(written) == ["dependency_unavailable"] * 60


def test_debug_lines_are_not_suppressed(written: LogCapture) -> None:
    for _ in range(50):
        structlog.get_logger().debug("request")
    assert len(written.entries) == 50


def test_library_lines_are_limited_by_message_without_values() -> None:
    bound = LogRateLimit(Clock())
    records = [
        logging.LogRecord("aiokafka", logging.WARNING, "x.py", 1, "broker %s is gone", (number,), None)
        for number in range(50)
    ]
    assert sum(bound.filter(record) for record in records) == LINES_PER_S


def test_unused_names_are_dropped() -> None:
    bound = LogRateLimit(Clock())
    assert all(bound.passes(str(number)) for number in range(3 * MOST_NAMES))
    assert len(vars(bound)["_windows"]) <= MOST_NAMES
