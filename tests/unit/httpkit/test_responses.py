"""Responses: the format of times, and JSON."""

import json
from datetime import datetime, timedelta, timezone

import pytest

from domain.shipments.status import Status
from httpkit.response.json_responses import json_response, to_json


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        to_json({"at": datetime(2026, 1, 1)})  # noqa: DTZ001  # the fault in question


def test_values_of_all_kinds_are_rendered() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678_999, tzinfo=timezone(-timedelta(hours=5)))
    data = {"at": at, "status": Status.CREATED, "place": "Bogotá", "lat": 4.5}
    assert json.loads(to_json(data)) == data | {"at": "2026-01-02T08:04:05.678Z", "status": "created"}
    assert "Bogotá".encode() in to_json(data)


@pytest.mark.parametrize("data", [float("nan"), float("inf")])
def test_value_that_json_cannot_represent_is_rejected(data: float) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        to_json({"value": data})


def test_an_object_without_a_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        to_json({"value": object()})


def test_rendered_json_is_sent_as_it_is_and_ends_its_line() -> None:
    response = json_response(b'{"a":1}', status=202, headers={"Location": "/events/1"})
    assert (response.body, response.status) == (b'{"a":1}\n', 202)
    assert response.headers["Location"] == "/events/1"
    assert response.content_type == "application/json"
