"""Values as they are sent."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from httpkit.request import prefer
from waybill.models import Location
from waybill.operations import REPORT_EVENT
from waybill.retries import seconds_of
from waybill.transport import LONGEST_WAIT_S, Call
from waybill.values import instant_text, json_bytes, path_of, query_of, sequence

NOON = datetime(2026, 1, 1, 12, 0, 0, 123_456, tzinfo=UTC)
MEXICO = timezone(timedelta(hours=-6))


def test_an_instant_keeps_its_offset_and_milliseconds() -> None:
    assert instant_text(NOON.astimezone(MEXICO)) == "2026-01-01T06:00:00.123-06:00"
    assert abs(datetime.fromisoformat(instant_text(None)) - datetime.now(UTC)) < timedelta(seconds=5)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no zone"):
        instant_text(NOON.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("step", "path"),
    [("a/b", "/x/a%2Fb"), ("a b?#%", "/x/a%20b%3F%23%25"), ("ñ", "/x/%C3%B1"), (3, "/x/3")],
)
def test_a_step_of_a_path_may_hold_any_character(step: object, path: str) -> None:
    assert path_of("/x/{name}", {"name": step}) == path


@pytest.mark.parametrize("step", ["", ".", ".."])
def test_a_step_that_leads_elsewhere_is_refused(step: str) -> None:
    with pytest.raises(ValueError, match="name must not be"):
        path_of("/x/{name}", {"name": step})


def test_a_query_has_what_is_given() -> None:
    assert query_of(status=("a", "b"), from_=NOON, to=None, limit=5) == {
        "status": "a,b",
        "from": "2026-01-01T12:00:00.123+00:00",
        "limit": "5",
    }


def test_decimals_may_be_sent() -> None:
    assert json_bytes({"weight_kg": Decimal("2.50")}) == b'{"weight_kg":2.5}'


def test_models_may_be_sent() -> None:
    assert json_bytes({"location": Location(lat=1, lng=2)}) == b'{"location":{"lat":1.0,"lng":2.0}}'


def test_one_text_is_not_several() -> None:
    with pytest.raises(TypeError, match=r"\['shipment\.\*'\]"):
        sequence("shipment.*")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("7", 7),
        (" 7 ", 7),
        ("Thu, 01 Jan 2026 12:01:00 GMT", pytest.approx(59.88, abs=0.01)),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0),
        ("Thu, 01 Jan 2026 12:01:00 -0600", pytest.approx(21659.88, abs=0.01)),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, seconds: float | None) -> None:
    assert seconds_of(text, NOON) == seconds


def test_an_offset_with_seconds_is_none_in_rfc_3339() -> None:
    """Zones had them before their standard times, as Mexico City until 1922."""
    local_mean = timezone(-timedelta(hours=6, minutes=36, seconds=36))
    assert instant_text(NOON.astimezone(local_mean)) == "2026-01-01T12:00:00.123+00:00"


@pytest.mark.parametrize("value", [1_767_268_800, date(2026, 1, 1)])
def test_something_else_than_a_time_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="a time is a datetime or RFC 3339 text"):
        instant_text(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(("wait_s", "asked"), [(0, "wait=0"), (0.4, "wait=1"), (30, "wait=30")])
def test_a_wait_is_asked_for_in_whole_seconds(wait_s: float, asked: str) -> None:
    assert Call(operation=REPORT_EVENT, wait_s=wait_s).all_headers(None)["Prefer"] == asked


@pytest.mark.parametrize("wait_s", [-1, 30.5, 99, float("nan"), float("inf")])
def test_a_wait_that_the_api_would_ignore_is_refused(wait_s: float) -> None:
    """Its rule: `httpkit.request.prefer`."""
    assert LONGEST_WAIT_S == prefer.LONGEST_WAIT_S
    with pytest.raises(ValueError, match="wait must be 0 to 30 seconds"):
        Call(operation=REPORT_EVENT, wait_s=wait_s)
