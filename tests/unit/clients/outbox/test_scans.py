"""`add()` accepts exactly what the API accepts, and says what is wrong with the rest."""

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.shipments.tracking_number import ALPHABET, PREFIX, is_tracking_number
from ingest_api.schemas.events import EVENT
from tests.support.builders import number
from waybill.outbox import InvalidScan
from waybill.outbox.scans import checked
from waybill.outbox.tracking_numbers import read_tracking_number

NOW = datetime.now(UTC)
SCAN: dict[str, Any] = {
    "tracking_number": number(1),
    "status": "delivered",
    "timestamp": "2026-11-02T10:00:00-05:00",
    "source": "scanner-mex-03",
    "location": {"lat": 19.4, "lng": -99.1, "address": "Av. Vallarta 3959"},
    "notes": "Dos bultos\nfrágil",
    "signed_by": "María Peña",
}
TEXTS = st.text(max_size=6) | st.text("ab\t\n\x7f\x85\u2028\ufdd0\ufffe\U0001ffff", max_size=6)
VALUES = st.none() | st.booleans() | st.floats() | st.integers(-200, 200) | TEXTS
CHANGES = st.one_of(
    st.tuples(st.just("status"), st.sampled_from(["created", "picked_up", "Delivered", "lost"]) | VALUES),
    st.tuples(
        st.just("checkpoint"), st.sampled_from(["on_hold", "On_Hold", "a" * 64, "a" * 65, "1a", ""]) | VALUES
    ),
    st.tuples(
        st.just("timestamp"),
        st.sampled_from(
            [
                "2026-11-02",
                "2026-11-02 10:00:00Z",
                "2026-11-02T10:00Z",
                "2026-11-02T10:00:00",
                "2026-11-02t10:00:00z",
                "2026-11-02T10:00:60Z",
                "2026-02-30T10:00:00Z",
                "2026-11-02T10:00:00.1234567891Z",
                "2026-11-02T10:00:00.123456789Z",
                "2026-11-02T10:00:00+0500",
                "1969-12-31T23:59:59Z",
                "2126-11-02T10:00:00Z",
                "\u0662026-11-02T10:00:00Z",
                "",
            ]
        )
        | VALUES,
    ),
    st.tuples(st.just("source"), st.sampled_from(["api", "a" * 128, "a" * 129, "é" * 128]) | VALUES),
    st.tuples(st.just("notes"), st.sampled_from(["a" * 1000, "a" * 1001]) | VALUES),
    st.tuples(st.just("signed_by"), st.sampled_from(["a" * 300, "a" * 301]) | VALUES),
    st.tuples(
        st.just("location"),
        st.fixed_dictionaries({}, optional={"lat": VALUES, "lng": VALUES, "address": VALUES, "alt": VALUES})
        | VALUES,
    ),
    st.tuples(st.just("tracking_number"), st.text(ALPHABET + "ilOU-", min_size=16, max_size=16) | VALUES),
)


def api_accepts(event: dict[str, Any]) -> bool:
    try:
        EVENT.validate_python(copy.deepcopy(event))
    except ValidationError:
        return False
    return True


def checked_or_none(scan: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return checked(scan, datetime.now(UTC))
    except InvalidScan:
        return None


@given(st.lists(CHANGES, max_size=3))
def test_scan_is_accepted_if_the_api_would_accept_it(changes: list[tuple[str, Any]]) -> None:
    scan = {**SCAN, **dict(changes)}
    if scan["timestamp"] is None:  # left out: the outbox puts the time of the call there
        scan["timestamp"] = SCAN["timestamp"]
    event = checked_or_none(scan)
    assert api_accepts(scan) == (event is not None)
    assert event is None or api_accepts(event)


@given(st.text(ALPHABET + ALPHABET.lower() + "ilouILOU", min_size=12, max_size=12))
def test_tracking_number_is_read_as_the_api_reads_it(body: str) -> None:
    try:
        read = read_tracking_number(f"99m-{body}")
    except ValueError:
        read = ""
    upper = PREFIX + body.upper().translate(str.maketrans("ILO", "110"))
    assert read == (upper if is_tracking_number(upper) else "")


@pytest.mark.parametrize("index", range(0, 200, 7))
def test_real_tracking_number_is_accepted_and_any_wrong_character_is_not(index: int) -> None:
    good = number(index)
    assert read_tracking_number(good.lower()) == good
    for place in range(len(PREFIX), len(good)):
        for other in set(ALPHABET) - {good[place]}:
            with pytest.raises(ValueError, match="check character"):
                read_tracking_number(good[:place] + other + good[place + 1 :])


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(InvalidScan) as refused:
        checked(
            {
                "colour": "red",
                "status": "lost",
                "source": "api",
                "location": {"lat": 91, "lng": 0},
                "signed_by": "x",
            },
            NOW,
        )
    assert [problem.pointer for problem in refused.value.problems] == [
        "/tracking_number",
        "/status",
        "/source",
        "/location",
        "/colour",
        "/signed_by",
    ]
    assert "lat must be between -90 and 90" in str(refused.value)
    assert pickle.loads(pickle.dumps(refused.value)).problems == refused.value.problems  # noqa: S301 - our own


@pytest.mark.parametrize("degrees", [float("nan"), float("inf"), 10**400])
def test_number_that_is_no_latitude_is_refused(degrees: float) -> None:
    with pytest.raises(InvalidScan, match="lat must be between -90 and 90"):
        checked({**SCAN, "location": {"lat": degrees, "lng": 0}}, NOW)


def test_naive_time_is_refused() -> None:
    with pytest.raises(InvalidScan, match="/timestamp: has no zone"):
        checked({**SCAN, "timestamp": datetime(2026, 11, 2, 10)}, NOW)  # noqa: DTZ001  # the point


def test_time_ahead_of_the_device_is_refused() -> None:
    checked({**SCAN, "timestamp": NOW + timedelta(minutes=5)}, NOW)
    with pytest.raises(InvalidScan, match="5 minutes ahead of this device"):
        checked({**SCAN, "timestamp": NOW + timedelta(minutes=5, milliseconds=1)}, NOW)


def test_time_keeps_its_offset_and_milliseconds() -> None:
    mexico = timezone(timedelta(hours=-6))
    event = checked({**SCAN, "timestamp": datetime(2026, 11, 2, 10, 0, 0, 123_999, mexico)}, NOW)
    assert event["timestamp"] == "2026-11-02T10:00:00.123-06:00"


def test_offset_with_seconds_becomes_utc() -> None:
    local_mean_time = timezone(timedelta(hours=-6, minutes=-36, seconds=-36))
    event = checked({**SCAN, "timestamp": datetime(1970, 1, 2, tzinfo=local_mean_time)}, NOW)
    assert event["timestamp"] == "1970-01-02T06:36:36.000Z"
