"""`flush()`: nothing is lost, reordered or silently refused, whatever the network does."""

import logging
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.builders import number
from tests.support.scan_server import HANGS_UP, LOSES_THE_ANSWER, Event, Fault, ScanServer, error, scan_server
from waybill import AsyncWaybill, Waybill
from waybill.errors import (
    ApiError,
    BadRequest,
    ConnectionFailed,
    Forbidden,
    RateLimited,
    ServerError,
    Unauthorized,
    UnexpectedResponse,
)
from waybill.models import Problem
from waybill.outbox import Outbox, OutboxBusy, flushing

TEN = datetime(2026, 11, 2, 10, tzinfo=UTC)
NUMBERS = [number(index) for index in range(3)]
BAD = "scanner-bad"
QUEUED = {"index": 0, "status": "queued", "event_id": "evt_1"}


def batch_answer(items: list[Event]) -> Fault:
    return Fault(202, {"received": len(items), "queued": len(items), "message": "", "events": items})


def refuse_bad_sources(event: Event) -> str | None:
    return "is not taken today" if event["source"] == BAD else None


@pytest.fixture
def server() -> Iterator[ScanServer]:
    with scan_server() as server:
        server.refuses = refuse_bad_sources
        yield server


@pytest.fixture
def client(server: ScanServer) -> Iterator[Waybill]:
    with Waybill(server.url, username="driver", password="secret", retries=0) as client:  # noqa: S106  # a test's
        yield client


@pytest.fixture
def outbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outbox]:
    monkeypatch.setattr(flushing, "MAX_LINES", 4)  # so that a flush has several requests
    with Outbox(tmp_path / "scans.db") as outbox:
        yield outbox


def fill(outbox: Outbox, count: int, *, bad: tuple[int, ...] = ()) -> None:
    for index in range(count):
        source = BAD if index in bad else "scanner"
        at = TEN + timedelta(seconds=index)
        outbox.add(NUMBERS[index % len(NUMBERS)], "picked_up", source=source, timestamp=at)


def assert_all_arrived_in_order(server: ScanServer, count: int, *, but: tuple[int, ...] = ()) -> None:
    times = [(TEN + timedelta(seconds=index)).strftime("%Y-%m-%dT%H:%M:%S.000Z") for index in range(count)]
    for place, each in enumerate(NUMBERS):
        expected = [times[index] for index in range(place, count, len(NUMBERS)) if index not in but]
        assert server.first_arrivals(each) == expected


def test_scans_arrive_once_and_in_order(outbox: Outbox, client: Waybill, server: ScanServer) -> None:
    fill(outbox, 10)
    result = outbox.flush(client)
    assert (result.queued, result.refused, result.warnings) == (10, 0, ())
    assert (server.requests, len(server.arrived)) == (3, 10)
    assert_all_arrived_in_order(server, 10)
    assert outbox.pending() == []
    assert outbox.flush(client).queued == 0
    assert server.requests == 3


def test_refused_scan_goes_to_the_tray_and_blocks_nothing(
    outbox: Outbox, client: Waybill, server: ScanServer, caplog: pytest.LogCaptureFixture
) -> None:
    fill(outbox, 10, bad=(5,))
    result = outbox.flush(client)
    assert (result.queued, result.refused) == (9, 1)
    assert result.warnings == ("1 scans were refused: see refused()",)
    assert "1 scans were refused" in caplog.text
    (refused,) = outbox.refused()
    assert refused.timestamp == TEN + timedelta(seconds=5)
    assert (refused.error, refused.problems) == (
        "VALIDATION_ERROR",
        (Problem(pointer="/source", message="is not taken today"),),
    )
    assert outbox.pending() == []
    assert_all_arrived_in_order(server, 10, but=(5,))


def test_refused_scan_can_be_put_back_at_its_place(
    outbox: Outbox, client: Waybill, server: ScanServer
) -> None:
    fill(outbox, 3, bad=(1,))
    outbox.flush(client)
    (refused,) = outbox.refused()
    outbox.add(NUMBERS[0], "in_warehouse", source="scanner")
    outbox.put_back(refused.id)
    assert outbox.pending()[0].id == refused.id
    assert outbox.refused() == []
    server.refuses = lambda _event: None
    assert outbox.flush(client).queued == 2
    with pytest.raises(KeyError, match=f"no refused scan has the id {refused.id}"):
        outbox.put_back(refused.id)


def test_refused_scan_can_be_removed(outbox: Outbox, client: Waybill) -> None:
    fill(outbox, 2, bad=(1,))
    outbox.flush(client)
    outbox.remove(outbox.refused()[0].id)
    assert outbox.refused() == []
    with pytest.raises(KeyError):
        outbox.remove(2)


def test_pending_scan_cannot_be_removed(outbox: Outbox) -> None:
    fill(outbox, 1)
    with pytest.raises(KeyError):
        outbox.remove(outbox.pending()[0].id)
    assert len(outbox.pending()) == 1


def test_batch_of_refused_scans_alone_goes_to_the_tray(outbox: Outbox, client: Waybill) -> None:
    fill(outbox, 6, bad=(0, 1, 2, 3))
    assert outbox.flush(client).refused == 4
    assert [len(scan.problems) for scan in outbox.refused()] == [1] * 4


def test_source_that_is_not_allowed_is_a_fault_of_the_scan(
    outbox: Outbox, client: Waybill, server: ScanServer
) -> None:
    fill(outbox, 2)
    named = [{"pointer": f"/events/{index}/source", "message": "may not report"} for index in range(2)]
    server.faults = [error(403, "SOURCE_NOT_ALLOWED", named)]
    assert outbox.flush(client).refused == 2
    assert {scan.error for scan in outbox.refused()} == {"SOURCE_NOT_ALLOWED"}


@pytest.mark.parametrize("fault", [HANGS_UP, LOSES_THE_ANSWER])
@pytest.mark.parametrize("request_number", [0, 1, 2])
def test_broken_connection_loses_and_reorders_nothing(
    outbox: Outbox, client: Waybill, server: ScanServer, fault: Fault, request_number: int
) -> None:
    def break_one(_events: list[Event]) -> None:
        if server.requests == request_number + 1:
            server.faults = [fault]

    fill(outbox, 10, bad=(6,))
    server.on_batch = break_one
    with pytest.raises(ConnectionFailed):
        outbox.flush(client)
    assert len(outbox.pending()) == 10 - 4 * request_number
    server.on_batch = lambda _events: None
    outbox.flush(client)
    assert_all_arrived_in_order(server, 10, but=(6,))
    assert (len(outbox.pending()), len(outbox.refused())) == (0, 1)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (error(401, "INVALID_TOKEN"), Unauthorized),
        (error(403, "FORBIDDEN"), Forbidden),
        (error(404, "NOT_FOUND"), ApiError),
        (error(400, "SOMETHING_NEW"), BadRequest),
        (error(429, "RATE_LIMITED", Retry_After="1"), RateLimited),
        (error(500, "INTERNAL_ERROR"), ServerError),
        (error(503, "SERVICE_UNAVAILABLE", Retry_After="1"), ServerError),
        (Fault(400, "<h1>Bad Request</h1>"), BadRequest),
        (Fault(302, "", headers={"Location": "http://portal.example/login"}), UnexpectedResponse),
        (Fault(200, "<h1>Welcome to our network</h1>"), UnexpectedResponse),
        (Fault(202, "<h1>Welcome to our network</h1>"), UnexpectedResponse),
        (Fault(202, {"message": "Accepted"}), UnexpectedResponse),
        (batch_answer([QUEUED] * 4), UnexpectedResponse),
        (batch_answer([{**QUEUED, "index": index} for index in range(3)]), UnexpectedResponse),
        (
            batch_answer([{**QUEUED, "index": index, "status": "lost"} for index in range(4)]),
            UnexpectedResponse,
        ),
    ],
)
def test_any_other_answer_stops_the_flush_and_every_scan_stays(
    outbox: Outbox, client: Waybill, server: ScanServer, fault: Fault, kind: type[Exception]
) -> None:
    fill(outbox, 6)
    before = outbox.pending()
    server.faults = [fault] * 3
    with pytest.raises(kind) as stopped:
        outbox.flush(client)
    assert outbox.pending() == before
    assert outbox.refused() == []
    assert "0 scans queued, 0 refused; none is lost" in stopped.value.__notes__[-1]
    server.faults = []
    outbox.flush(client)
    assert_all_arrived_in_order(server, 6)


def test_client_for_asyncio_is_refused(outbox: Outbox, server: ScanServer) -> None:
    fill(outbox, 1)
    with pytest.raises(TypeError, match="takes a Waybill, not AsyncWaybill: run it in a thread"):
        outbox.flush(AsyncWaybill(server.url))  # type: ignore[arg-type]  # the point
    assert server.requests == 0


def test_request_that_is_too_large_for_a_proxy_is_halved(
    outbox: Outbox, client: Waybill, server: ScanServer
) -> None:
    fill(outbox, 4)
    server.faults = [Fault(413, "<h1>Request Entity Too Large</h1>")] * 2
    assert outbox.flush(client).queued == 4
    assert server.requests == 6
    assert_all_arrived_in_order(server, 4)


def test_request_has_at_most_a_mebibyte(
    outbox: Outbox, client: Waybill, server: ScanServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flushing, "MAX_BYTES", 300)
    sizes: list[int] = []
    server.on_batch = lambda events: sizes.append(len(events))
    fill(outbox, 6)
    outbox.flush(client)
    assert sizes == [2, 2, 2]


def test_scans_can_be_added_while_another_thread_flushes(
    outbox: Outbox, client: Waybill, server: ScanServer
) -> None:
    fill(outbox, 6)
    server.on_batch = lambda _events: _add_late()

    def _add_late() -> None:
        outbox.add(NUMBERS[0], "in_transit", source="scanner")

    result = outbox.flush(client)
    assert result.queued == 6  # what waited at its beginning: a flush ends, however many are added meanwhile
    assert len(outbox.pending()) == 2


def test_second_flush_says_that_one_is_running(outbox: Outbox, client: Waybill, server: ScanServer) -> None:
    fill(outbox, 1)
    inside, may_end = threading.Event(), threading.Event()

    def block(_events: list[Event]) -> None:
        inside.set()
        may_end.wait(10)

    server.on_batch = block
    first = threading.Thread(target=lambda: outbox.flush(client))
    first.start()
    inside.wait(10)
    try:
        with pytest.raises(OutboxBusy, match="is being flushed elsewhere"):
            outbox.flush(client, wait_s=0.1)
    finally:
        may_end.set()
        first.join()
    assert len(server.arrived) == 1


def test_second_flush_waits_for_the_first(outbox: Outbox, client: Waybill, server: ScanServer) -> None:
    fill(outbox, 6)
    server.on_batch = lambda _events: time.sleep(0.1)
    both = [threading.Thread(target=lambda: outbox.flush(client)) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert len(server.arrived) == 6


@pytest.mark.parametrize(("ahead_s", "way"), [(-3600.0, "ahead of"), (3600.0, "behind")])
def test_wrong_clock_is_reported(
    outbox: Outbox,
    client: Waybill,
    server: ScanServer,
    ahead_s: float,
    way: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fill(outbox, 1)
    server.ahead_s = ahead_s
    result = outbox.flush(client)
    assert result.clock_skew is not None
    assert abs(result.clock_skew.total_seconds() + ahead_s) < 10
    (warning,) = result.warnings
    assert warning.startswith("this device's clock is ")
    assert f" {way} the API's" in warning
    assert warning in caplog.text


def test_wrong_clock_is_reported_when_the_api_refuses_everything_for_it(
    outbox: Outbox, client: Waybill, server: ScanServer
) -> None:
    fill(outbox, 2)
    server.ahead_s = -3600.0
    server.refuses = lambda _event: "must not be more than 5 minutes ahead"
    result = outbox.flush(client)
    assert result.refused == 2
    assert any("clock" in warning for warning in result.warnings)


def test_bounds_are_reported_before_anything_is_sent(
    tmp_path: Path, client: Waybill, server: ScanServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "waybill.outbox")
    server.faults = [HANGS_UP] * 9
    with Outbox(tmp_path / "old.db", max_scans=10, max_age=timedelta(0)) as outbox:
        fill(outbox, 9)
        time.sleep(0.002)
        with pytest.raises(ConnectionFailed):
            outbox.flush(client)
    assert "old.db: 9 scans have waited for more than 0:00:00" in caplog.text
    assert "old.db: holds 9 scans of 10 at most" in caplog.text
