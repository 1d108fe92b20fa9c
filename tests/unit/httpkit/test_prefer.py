"""`Prefer` in the syntax of RFC 7240; malformed values never reject a request."""

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from httpkit.request.prefer import preferences, preferred_wait_s


def read(*lines: str) -> dict[str, str | None]:
    """Return the preferences of a request with these `Prefer` headers."""
    headers = CIMultiDict([("Prefer", line) for line in lines])
    return dict(preferences(make_mocked_request("POST", "/events", headers)))


def wait_of(*lines: str) -> int | None:
    """Return the wait that a request with these `Prefer` headers is granted."""
    headers = CIMultiDict([("Prefer", line) for line in lines])
    return preferred_wait_s(make_mocked_request("POST", "/events", headers))


@pytest.mark.parametrize(
    ("lines", "preferred"),
    [
        ([], {}),
        ([""], {}),
        (["wait=5"], {"wait": "5"}),
        (["WAIT = 5"], {"wait": "5"}),
        (["respond-async, wait=5"], {"respond-async": None, "wait": "5"}),
        (["wait=5", "handling=lenient"], {"wait": "5", "handling": "lenient"}),
        ([' handling="lenient" ,,wait="7"'], {"handling": "lenient", "wait": "7"}),
        (['a="x, y; \\"z\\"", b'], {"a": 'x, y; "z"', "b": None}),
        (["wait=5; why=because; so, b"], {"wait": "5", "b": None}),
        (["wait=1, wait=2"], {"wait": "1"}),
        (["wait=1", "Wait=2"], {"wait": "1"}),
        (['a=""'], {"a": None}),
        (["=5, ???=1 2, wait=5"], {"wait": "5"}),
        (['a="open, wait=5'], {"wait": "5"}),
    ],
)
def test_preferences_are_read_by_name(lines: list[str], preferred: dict[str, str | None]) -> None:
    assert read(*lines) == preferred


def test_prefer_header_is_parsed_once_per_request() -> None:
    request = make_mocked_request("POST", "/events", {"Prefer": "wait=5"})
    assert preferences(request) is preferences(request)


@pytest.mark.parametrize(
    ("line", "wait_s"),
    [
        ("wait=0", 0),
        ("wait=30", 30),
        ('wait="08"', 8),
        ("wait=31", None),
        ("wait=999999999999999999999", None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=soon", None),
        ("wait=\u0663", None),
        ("wait", None),
        ("handling=lenient", None),
    ],
)
def test_a_wait_is_a_whole_number_of_seconds_up_to_thirty(line: str, wait_s: int | None) -> None:
    assert wait_of(line) == wait_s


@given(st.text(max_size=60) | st.text('"\\,;= \ta1', max_size=60))
def test_any_prefer_header_is_parsed_or_ignored(line: str) -> None:
    assert all(name == name.lower() for name in read(line))


@pytest.mark.parametrize("unit", ['"', ";", "a;", ";  ", "a  =  ", '"\\', ", "])
def test_a_hostile_header_takes_no_time(unit: str) -> None:
    assert "wait" not in read(*["a " + unit * (900 // len(unit)) + " ?"] * 20, "wait=5, " + unit * 1000)
