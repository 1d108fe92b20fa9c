"""Failures on the way: repeated where that is safe, and nowhere else."""

import pickle
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.support.ports import unused_port
from tests.support.scripted_server import Action, ScriptedServer, answer, cut, cut_midway, error, slow
from tests.unit.clients.core.conftest import Use
from waybill import (
    Conflict,
    ConnectionFailed,
    NotFound,
    RateLimited,
    ServerError,
    Unauthorized,
    Waybill,
    WaybillError,
)
from waybill.operations import REPORT_EVENT
from waybill.retries import Attempts, RetryPolicy

NUMBER = "99M-GMPWC6W7SP2G"
REGISTERED = answer(
    201,
    {
        "tracking_number": NUMBER,
        "status": "created",
        "created_at": "2026-01-01T00:00:00Z",
        "client_id": "c",
    },
)
QUEUED = answer(202, {"event_id": "evt_1", "status": "queued", "tracking_number": NUMBER, "message": "m"})
LINK = answer(201, {"id": "ln_1", "url": "http://x/#t", "expires_at": None})
GONE = answer(204)
NOT_FOUND = error(404, "LINK_NOT_FOUND")
BUSY = error(503, "SERVICE_UNAVAILABLE", retry_after="0")
PLACES = {
    "origin_address": "a",
    "origin_lat": 1.0,
    "origin_lng": 2.0,
    "destination_address": "b",
    "destination_lat": 3.0,
    "destination_lng": 4.0,
    "weight_kg": 1.0,
}

Do = Callable[[Any], Any]
CREATE: Do = lambda client: client.shipments.create(**PLACES)  # noqa: E731 - a table of calls
REPORT: Do = lambda client: client.events.report(NUMBER, "picked_up", source="s")  # noqa: E731
LINKED: Do = lambda client: client.links.create(NUMBER)  # noqa: E731
UNLINKED: Do = lambda client: client.links.delete(NUMBER, "ln_1")  # noqa: E731
HEALTHY: Do = lambda client: client.public.shipment(NUMBER)  # noqa: E731
PUBLIC = answer(
    200,
    {
        "tracking_number": NUMBER,
        "current_status": "created",
        "steps": [],
        "updated_at": "2026-01-01T00:00:00Z",
    },
)


@pytest.mark.parametrize("failure", [cut, cut_midway, BUSY, error(429, "RATE_LIMITED"), error(502, "")])
@pytest.mark.parametrize(("do", "success"), [(CREATE, REGISTERED), (REPORT, QUEUED), (HEALTHY, PUBLIC)])
def test_a_call_that_may_be_repeated_is(
    use: Use, server: ScriptedServer, failure: Action, do: Do, success: Action
) -> None:
    server.play(failure, failure, success)
    assert use(do).tracking_number == NUMBER
    assert len(server.received) == 3
    assert len({(each.content, each.headers.get("idempotency-key")) for each in server.received}) == 1


def test_each_creation_has_a_key_of_its_own(use: Use, server: ScriptedServer) -> None:
    server.play(REGISTERED)
    use(CREATE)
    use(CREATE)
    use(lambda client: client.shipments.create(**PLACES, idempotency_key="order 4711"))
    keys = [each.headers["idempotency-key"] for each in server.received]
    assert keys[2] == "order 4711"
    assert len(set(keys)) == 3


@pytest.mark.parametrize("failure", [cut, cut_midway, error(502, ""), error(504, "")])
def test_a_call_that_may_have_been_executed_is_not_repeated_if_that_is_not_safe(
    use: Use, server: ScriptedServer, failure: Action
) -> None:
    server.play(failure, LINK)
    with pytest.raises((ConnectionFailed, ServerError)) as failed:
        use(LINKED)
    assert len(server.received) == 1
    assert getattr(failed.value, "is_sent", True)


@pytest.mark.parametrize("failure", [BUSY, error(429, "RATE_LIMITED", retry_after="0")])
def test_a_call_that_was_not_executed_is_repeated(use: Use, server: ScriptedServer, failure: Action) -> None:
    server.play(failure, LINK)
    assert use(LINKED).id == "ln_1"


@pytest.mark.parametrize(("if_version", "requests"), [(None, 1), (3, 2)])
def test_an_amendment_is_repeated_if_it_names_the_version(
    use: Use, server: ScriptedServer, if_version: int | None, requests: int
) -> None:
    changed = {"tracking_number": NUMBER, "status": "created", "version": 4, "event_id": "evt_1"}
    server.play(cut, answer(200, changed))
    try:
        use(lambda client: client.shipments.amend(NUMBER, weight_kg=2.0, if_version=if_version))
    except ConnectionFailed:
        assert if_version is None
    assert [each.headers.get("if-match") for each in server.received] == [if_version and '"v3"'] * requests


def test_a_deletion_whose_response_was_lost_is_done(use: Use, server: ScriptedServer) -> None:
    server.play(cut, NOT_FOUND)
    assert use(UNLINKED) is None


def test_a_deletion_of_nothing_fails(use: Use, server: ScriptedServer) -> None:
    server.play(BUSY, NOT_FOUND)  # 503: the first one was not executed
    with pytest.raises(NotFound):
        use(UNLINKED)


def test_what_the_api_has_decided_is_not_asked_again(use: Use, server: ScriptedServer) -> None:
    server.play(error(409, "INVALID_TRANSITION"), QUEUED)
    with pytest.raises(Conflict):
        use(REPORT)
    assert len(server.received) == 1


def test_retries_are_bounded(use: Use, server: ScriptedServer) -> None:
    server.play(cut)
    with pytest.raises(ConnectionFailed):
        use(REPORT, retries=2)
    assert len(server.received) == 3


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_retry_waits_as_long_as_the_response_says(use: Use, server: ScriptedServer, form: str) -> None:
    in_two = datetime.now(UTC) + timedelta(seconds=2)
    wanted = "1" if form == "seconds" else format_datetime(in_two, usegmt=True)
    server.play(error(429, "RATE_LIMITED", retry_after=wanted), QUEUED)
    began = time.monotonic()
    use(REPORT)
    assert time.monotonic() - began >= 0.9


def test_a_wait_longer_than_the_bound_is_an_error_at_once(use: Use, server: ScriptedServer) -> None:
    server.play(error(429, "TOO_MANY_ATTEMPTS", retry_after="900"), QUEUED)
    with pytest.raises(RateLimited) as limited:
        use(REPORT)
    assert limited.value.retry_after == 900
    assert len(server.received) == 1


def test_silence_is_a_failure_and_a_wait_is_none(use: Use, server: ScriptedServer) -> None:
    server.play(slow(1.5, QUEUED))
    with pytest.raises(ConnectionFailed, match="no complete response"):
        use(REPORT, timeout=1.0, retries=0)
    waiting = use(
        lambda client: client.events.report(NUMBER, "picked_up", source="s", wait=1), timeout=1.0, retries=0
    )
    assert waiting.status == "queued"


def test_a_server_that_is_not_there_was_surely_not_reached() -> None:
    with Waybill(f"http://127.0.0.1:{unused_port()}", retries=1) as client:
        with pytest.raises(ConnectionFailed, match="no connection to http://127") as failed:
            client.public.shipment(NUMBER)
        assert not failed.value.is_sent


def test_an_error_says_if_an_earlier_attempt_may_have_been_executed(
    use: Use, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "waybill")
    server.play(cut, error(409, "INVALID_TRANSITION"))
    with pytest.raises(Conflict) as failed:
        use(lambda client: client.shipments.cancel(NUMBER))
    assert failed.value.is_uncertain
    assert "DELETE /shipments/{tracking_number} is repeated in 0.0" in caplog.text
    server.play(BUSY, error(409, "INVALID_TRANSITION"))
    with pytest.raises(Conflict) as failed:
        use(lambda client: client.shipments.cancel(NUMBER))
    assert not failed.value.is_uncertain


def test_a_server_that_went_away_after_an_attempt_may_have_executed_it() -> None:
    attempts = Attempts(REPORT_EVENT, RetryPolicy(1), time.monotonic, names_version=False)
    attempts.next_delay_s(ConnectionFailed("cut", is_sent=True))
    with pytest.raises(ConnectionFailed) as failed:
        attempts.next_delay_s(ConnectionFailed("refused", is_sent=False))
    assert failed.value.is_sent


def test_delays_grow_and_scatter_within_their_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waybill.retries.FIRST_DELAY_S", 0.25)
    monkeypatch.setattr("waybill.retries.LONGEST_DELAY_S", 1.0)
    failure = ConnectionFailed("cut", is_sent=True)
    for retry, longest in enumerate((0.25, 0.5, 1.0, 1.0)):
        seen = []
        for _ in range(200):
            attempts = Attempts(REPORT_EVENT, RetryPolicy(9), time.monotonic, names_version=False)
            seen.append([attempts.next_delay_s(failure) for _ in range(retry + 1)][-1])
        assert 0 <= min(seen) < longest * 0.1
        assert longest * 0.9 < max(seen) <= longest


def test_no_retry_begins_after_the_bound() -> None:
    now = iter([0.0, 59.0, 61.0])
    attempts = Attempts(REPORT_EVENT, RetryPolicy(9, total_s=60), lambda: next(now), names_version=False)
    attempts.next_delay_s(ConnectionFailed("cut", is_sent=True))
    with pytest.raises(ConnectionFailed):
        attempts.next_delay_s(ConnectionFailed("cut", is_sent=True))


@pytest.mark.parametrize(
    "failure",
    [
        ConnectionFailed("cut", is_sent=True),
        Conflict(409, {"error": "INVALID_TRANSITION", "held_until": None}, request_id="01J"),
        RateLimited(429, {}, message="later", retry_after=3.0),
    ],
)
def test_an_error_passes_from_process_to_process(failure: WaybillError) -> None:
    failure.is_uncertain = True
    copy = pickle.loads(pickle.dumps(failure))  # noqa: S301 - our own
    assert (type(copy), str(copy), vars(copy)) == (type(failure), str(failure), vars(failure))


def test_a_short_timeout_leaves_the_api_its_wait(use: Use, server: ScriptedServer) -> None:
    server.play(slow(0.5, REGISTERED))
    assert use(CREATE, timeout=0.1, retries=0).status == "created"


def test_a_refused_token_is_replaced_once(use: Use, server: ScriptedServer) -> None:
    server.play(error(401, "INVALID_TOKEN"), QUEUED)
    use(REPORT)
    assert [each.token for each in server.received] == ["Bearer t1", "Bearer t2"]
    server.play(error(401, "INVALID_TOKEN"))
    with pytest.raises(Unauthorized):
        use(REPORT)
    assert len(server.received) == 4


def test_a_token_is_replaced_before_it_ends(use: Use, server: ScriptedServer) -> None:
    server.token_s = 0
    server.play(QUEUED)
    use(REPORT)
    use(REPORT)
    assert [each.token for each in server.received] == ["Bearer t1", "Bearer t2"]


def test_a_given_token_is_used_as_it_is(use: Use, server: ScriptedServer) -> None:
    server.play(error(401, "INVALID_TOKEN"), QUEUED)
    with pytest.raises(Unauthorized):
        use(REPORT, username=None, password=None, token="given")  # noqa: S106
    assert [each.token for each in server.received] == ["Bearer given"]
    assert server.logins == []


def test_a_wrong_password_is_tried_once(use: Use, server: ScriptedServer) -> None:
    server.play(error(401, "INVALID_CREDENTIALS"))
    with pytest.raises(Unauthorized):
        use(lambda client: client.auth.change_password("wrong", "new"))
    assert len(server.received) == 1
