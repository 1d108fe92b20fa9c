"""Ledger of calls: events that must be in the log, that may be, and that must not."""

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from tests.faults.ledger import Ended, Ledger
from tests.faults.load import ended_of, faults_of
from tests.support.api import Response


def response(status: int, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, CIMultiDictProxy(CIMultiDict(named)), b"{}")


def test_calls_add_up_by_event() -> None:
    ledger = Ledger()
    ledger.record("POST /events", Ended.UNKNOWN, ["a", "b"], response="503")
    ledger.record("POST /events", Ended.OK, ["a", "a", "b"], response="202")
    ledger.record("POST /events", Ended.FAILED, ["c"], response="400")
    assert {(sent.event_id, sent.times, sent.unknown) for sent in ledger.sent()} == {
        ("a", 2, 1),
        ("b", 1, 1),
        ("c", 0, 0),
    }
    assert ledger.acknowledged == 3
    assert ledger.calls["POST /events", "202"] == 1


@pytest.mark.parametrize(
    ("given", "ended"),
    [
        (response(202), Ended.OK),
        (response(409, Preference_Applied="wait=2"), Ended.OK),
        (response(409), Ended.FAILED),
        (response(400), Ended.FAILED),
        (response(429, Retry_After="1"), Ended.FAILED),
        (response(503, Retry_After="1"), Ended.UNKNOWN),
    ],
)
def test_a_response_says_whether_the_event_is_in_the_log(given: Response, ended: Ended) -> None:
    assert ended_of(given) is ended
    assert faults_of(given) == []


def test_an_internal_error_and_a_503_that_names_no_time_are_faults() -> None:
    assert faults_of(response(500)) == ["answered 500: {}"]
    assert faults_of(response(503)) == ["503 without Retry-After"]
