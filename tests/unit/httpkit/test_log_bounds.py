"""A flood of lines is cut, and counted."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import LogCapture

from servicekit.log_bounds import LINES_PER_S, MOST_NAMES, SUPPRESSED, LineBound


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def written() -> Iterator[LogCapture]:
    """Catch what passes; what is suppressed does not."""
    captured = LogCapture()
    clock = Clock()
    structlog.configure(processors=[LineBound(clock), captured], cache_logger_on_first_use=False)
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


def test_the_rest_is_told_with_the_next_line_of_that_name(written: LogCapture) -> None:
    log = structlog.get_logger()
    for _ in range(LINES_PER_S + 7):
        log.warning("dependency_unavailable")
    written.clock.now_s += 1.0  # type: ignore[attr-defined]
    log.warning("dependency_unavailable")
    told, last = written.entries[-2:]
    assert (told["event"], told["line"], told["count"]) == (SUPPRESSED, "dependency_unavailable", 7)
    assert last["event"] == "dependency_unavailable"


async def test_or_when_the_second_is_over_in_nobodys_name(written: LogCapture) -> None:
    structlog.contextvars.bind_contextvars(request_id="one-of-many")
    for _ in range(LINES_PER_S + 3):
        structlog.get_logger().warning("dependency_unavailable")
    async with asyncio.timeout(5):
        while written.entries[-1]["event"] != SUPPRESSED:  # noqa: ASYNC110  # a timer writes it
            await asyncio.sleep(0.02)
    assert written.entries[-1]["count"] == 3
    assert "request_id" not in written.entries[-1]


def test_a_slow_drip_passes_whole(written: LogCapture) -> None:
    for _ in range(60):
        structlog.get_logger().warning("dependency_unavailable")
        written.clock.now_s += 0.5  # type: ignore[attr-defined]
    assert names(written) == ["dependency_unavailable"] * 60


def test_debug_is_not_cut(written: LogCapture) -> None:
    for _ in range(50):
        structlog.get_logger().debug("request")
    assert len(written.entries) == 50


def test_libraries_are_cut_by_what_they_say_without_the_values() -> None:
    bound = LineBound(Clock())
    records = [
        logging.LogRecord("aiokafka", logging.WARNING, "x.py", 1, "broker %s is gone", (number,), None)
        for number in range(50)
    ]
    assert sum(bound.filter(record) for record in records) == LINES_PER_S


def test_names_that_never_come_again_do_not_pile_up() -> None:
    bound = LineBound(Clock())
    assert all(bound.passes(str(number)) for number in range(3 * MOST_NAMES))
    assert len(vars(bound)["_windows"]) <= MOST_NAMES
