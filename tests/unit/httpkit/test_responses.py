"""Answers: the one form of times, and JSON."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.status import Status
from httpkit.responses import format_time, json_response, to_json


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 678_999, tzinfo=UTC), "2026-01-02T03:04:05.678Z"),
        (datetime(2026, 1, 2, tzinfo=timezone(-timedelta(hours=5))), "2026-01-02T05:00:00.000Z"),
    ],
)
def test_a_time_is_utc_with_milliseconds(moment: datetime, written: str) -> None:
    assert format_time(moment) == written


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.timezones()))  # noqa: DTZ001  # it wants naive
def test_a_written_time_is_the_same_instant_cut_to_milliseconds(moment: datetime) -> None:
    instant = moment.astimezone(UTC)
    cut = instant - timedelta(microseconds=instant.microsecond % 1000)
    assert datetime.fromisoformat(format_time(moment)) == cut


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        format_time(datetime(2026, 1, 1))  # noqa: DTZ001  # the fault in question


def test_values_of_all_kinds_are_rendered() -> None:
    data = {"at": datetime(2026, 1, 2, tzinfo=UTC), "status": Status.CREATED, "place": "Bogotá", "lat": 4.5}
    assert json.loads(to_json(data)) == data | {"at": "2026-01-02T00:00:00.000Z", "status": "created"}
    assert "Bogotá".encode() in to_json(data)


@pytest.mark.parametrize("data", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_refused(data: float) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        to_json({"value": data})


def test_an_object_without_a_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        to_json({"value": object()})


def test_rendered_json_is_sent_as_it_is() -> None:
    response = json_response(b'{"a":1}', status=202, headers={"Location": "/events/1"})
    assert (response.body, response.status) == (b'{"a":1}', 202)
    assert response.headers["Location"] == "/events/1"
    assert response.content_type == "application/json"
