"""What the books say of calls: what must be in the log, what may be, what must not."""

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from tests.faults.books import Books, Ended
from tests.faults.load import ended_of, faults_of
from tests.support.api import Answer


def answer(status: int, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, CIMultiDictProxy(CIMultiDict(named)), b"{}")


def test_calls_add_up_by_event() -> None:
    books = Books()
    books.note("POST /events", Ended.UNKNOWN, ["a", "b"], answer="503")
    books.note("POST /events", Ended.OK, ["a", "a", "b"], answer="202")
    books.note("POST /events", Ended.FAILED, ["c"], answer="400")
    assert {(sent.event_id, sent.times, sent.unknown) for sent in books.sent()} == {
        ("a", 2, 1),
        ("b", 1, 1),
        ("c", 0, 0),
    }
    assert books.acknowledged == 3
    assert books.calls["POST /events", "202"] == 1


@pytest.mark.parametrize(
    ("given", "ended"),
    [
        (answer(202), Ended.OK),
        (answer(409, Preference_Applied="wait=2"), Ended.OK),
        (answer(409), Ended.FAILED),
        (answer(400), Ended.FAILED),
        (answer(429, Retry_After="1"), Ended.FAILED),
        (answer(503, Retry_After="1"), Ended.UNKNOWN),
    ],
)
def test_an_answer_says_whether_the_event_is_in_the_log(given: Answer, ended: Ended) -> None:
    assert ended_of(given) is ended
    assert faults_of(given) == []


def test_an_internal_error_and_a_503_that_names_no_time_are_faults() -> None:
    assert faults_of(answer(500)) == ["answered 500: {}"]
    assert faults_of(answer(503)) == ["503 without Retry-After"]
