"""The bounds of every field, and the pointer of each fault."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from domain.shipments.status import REPORTABLE, Status
from httpkit.request.bodies import parse_json
from httpkit.response.errors import ApiError
from ingest_api.schemas.events import BATCH, EVENT, MAX_BATCH
from ingest_api.schemas.shipments import SHIPMENT
from tests.support.builders import NUMBER
from tests.unit.ingest_api.bodies import Body, changed, event_body, flat_body, shipment_body, without

LOWER = NUMBER.lower()
OTHER_CHECK = NUMBER[:-1] + ("0" if NUMBER[-1] != "0" else "1")


def faults(adapter: TypeAdapter[Any], body: object) -> dict[str, str]:
    """Return the faults of a body: messages by pointer; empty if it is valid."""
    try:
        parse_json(json.dumps(body).encode(), adapter)
    except ApiError as error:
        return {detail.pointer: detail.message for detail in error.details} or {"": error.message}
    return {}


def from_now(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


Values = list[tuple[Any, bool]]
"""Values of a field, each with whether it is taken."""

NAMES: Values = [("x", True), ("x" * 128, True), ("", False), ("x" * 129, False), ("a\0b", False), (7, False)]
NULL: Values = [(None, True)]
CLIENTS: Values = [*NAMES, ("a b", False), ("niño", False), ('{"$ne":1}', True), (None, True)]
LINES: Values = [
    ("x", True),
    ("x" * 300, True),
    ("", False),
    ("x" * 301, False),
    ("a\0b", False),
]
TEXTS: Values = [
    ("x", True),
    ("x" * 1000, True),
    ("", False),
    ("x" * 1001, False),
    ("a\0b", False),
    ([], False),
]
LATITUDES: Values = [(-90, True), (90, True), (0.0, True), (-90.001, False), (90.001, False), ("4", False)]
LONGITUDES: Values = [(-180, True), (180, True), (-180.001, False), (180.001, False), (True, False)]
LENGTHS: Values = [(0.001, True), (10_000, True), (0, False), (-1, False), (10_000.1, False), ("1", False)]
WEIGHTS: Values = [(0.001, True), (100_000, True), (0, False), (-2.5, False), (100_001, False), (None, False)]
NUMBERS: Values = [
    (NUMBER, True),
    (LOWER, True),
    (LOWER.replace("0", "o").replace("1", "l"), True),
    (LOWER.replace("1", "\u0131"), False),
    (f" {NUMBER}", False),
    (OTHER_CHECK, False),
    ("", False),
    (f"{NUMBER}0", False),
    (1, False),
]
STATUSES: Values = [(status.value, True) for status in REPORTABLE]
NO_STATUSES: Values = [
    ("created", False),
    ("PICKED_UP", False),
    ("", False),
    (None, False),
    (1, False),
    ({}, False),
]
SOURCES: Values = [*NAMES, ("api", False), ("API", True), ("apis", True)]
TIMES: Values = [
    ("2026-03-01T12:00:00Z", True),
    ("2026-03-01T12:00:00.123456+05:30", True),
    ("1970-01-01T00:00:00Z", True),
    ("1969-12-31T23:59:59.999Z", False),
    ("1970-01-01T00:00:00+00:01", False),
    ("0001-01-01T00:00:00+14:00", False),
    ("9999-12-31T23:59:59-14:00", False),
    ("2026-03-01T12:00:00", False),
    ("2026-03-01", False),
    ("2026-02-30T12:00:00Z", False),
    ("now", False),
    ("", False),
    (None, False),
]

EVENT_FIELDS: list[tuple[str, Values]] = [
    ("tracking_number", NUMBERS),
    ("status", STATUSES + NO_STATUSES),
    ("timestamp", TIMES),
    ("source", SOURCES),
    ("location/lat", LATITUDES),
    ("location/lng", LONGITUDES),
    ("location/address", LINES + NULL),
    ("notes", TEXTS + NULL),
    ("location", [*NULL, ("here", False)]),
]
PLACE_FIELDS: list[tuple[str, Values]] = [
    ("address", [*LINES, (None, False)]),
    ("coordinates/lat", LATITUDES),
    ("coordinates/lng", LONGITUDES),
]
SHIPMENT_FIELDS: list[tuple[str, Values]] = [
    ("client_id", CLIENTS),
    *((f"origin/{name}", values) for name, values in PLACE_FIELDS),
    *((f"destination/{name}", values) for name, values in PLACE_FIELDS),
    ("package/weight_kg", WEIGHTS),
    ("package/dimensions/length", LENGTHS),
    ("package/dimensions/width", LENGTHS),
    ("package/dimensions/height", LENGTHS),
    ("package/dimensions", [*NULL, ("large", False)]),
    ("package/content_description", TEXTS + NULL),
]
FLAT_FIELDS: list[tuple[str, Values]] = [
    ("client_id", CLIENTS),
    ("origin_address", [*LINES, (None, False)]),
    ("origin_lat", LATITUDES),
    ("origin_lng", LONGITUDES),
    ("destination_address", LINES),
    ("destination_lat", LATITUDES),
    ("destination_lng", LONGITUDES),
    ("weight_kg", WEIGHTS),
    ("length_cm", LENGTHS),
    ("width_cm", LENGTHS),
    ("height_cm", LENGTHS),
    ("content_description", TEXTS + NULL),
]


def cases(fields: list[tuple[str, Values]]) -> list[Any]:
    return [
        pytest.param(path, value, good, id=f"{path}={str(value)[:30]!r}")
        for path, values in fields
        for value, good in values
    ]


@pytest.mark.parametrize(("path", "value", "good"), cases(EVENT_FIELDS))
def test_every_field_of_an_event_has_its_bounds(path: str, value: object, good: bool) -> None:  # noqa: FBT001  # a parameter
    found = faults(EVENT, changed(event_body(), path, value))
    assert list(found) == ([] if good else [f"/{path}"])


# Not in the table: what is ahead when the tests are collected may be past when they run.
@pytest.mark.parametrize(("ahead_s", "good"), [(270, True), (360, False)])
def test_an_event_may_be_five_minutes_ahead(ahead_s: float, good: bool) -> None:  # noqa: FBT001  # a parameter
    found = faults(EVENT, changed(event_body(), "timestamp", from_now(ahead_s)))
    assert list(found) == ([] if good else ["/timestamp"])


@pytest.mark.parametrize(("path", "value", "good"), cases(SHIPMENT_FIELDS))
def test_every_field_of_a_shipment_has_its_bounds(path: str, value: object, good: bool) -> None:  # noqa: FBT001  # a parameter
    found = faults(SHIPMENT, changed(shipment_body(), path, value))
    assert list(found) == ([] if good else [f"/{path}"])


@pytest.mark.parametrize(("path", "value", "good"), cases(FLAT_FIELDS))
def test_every_flat_field_of_a_shipment_has_its_bounds(path: str, value: object, good: bool) -> None:  # noqa: FBT001  # a parameter
    found = faults(SHIPMENT, changed(flat_body(), path, value))
    assert list(found) == ([] if good else [f"/{path}"])


@pytest.mark.parametrize("path", ["tracking_number", "status", "timestamp", "source", "location/lat"])
def test_event_without_a_required_field_is_rejected(path: str) -> None:
    assert list(faults(EVENT, without(event_body(), path))) == [f"/{path}"]


@pytest.mark.parametrize("path", ["location", "location/address", "notes"])
def test_event_may_lack_optional_fields(path: str) -> None:
    assert faults(EVENT, without(event_body(), path)) == {}


@pytest.mark.parametrize(
    "path",
    ["origin", "destination/address", "origin/coordinates", "package/weight_kg", "package/dimensions/width"],
)
def test_shipment_without_a_required_field_is_rejected(path: str) -> None:
    assert list(faults(SHIPMENT, without(shipment_body(), path))) == [f"/{path}"]


@pytest.mark.parametrize("path", ["client_id", "package/dimensions", "package/content_description"])
def test_shipment_may_lack_optional_fields(path: str) -> None:
    assert faults(SHIPMENT, without(shipment_body(), path)) == {}


@pytest.mark.parametrize("path", ["extra", "location/altitude", "$where"])
def test_unknown_fields_of_an_event_are_rejected(path: str) -> None:
    assert list(faults(EVENT, changed(event_body(), path, 1))) == [f"/{path}"]


@pytest.mark.parametrize(
    "path", ["status", "origin/zip", "origin/coordinates/alt", "package/dimensions/depth"]
)
def test_unknown_fields_of_a_shipment_are_rejected(path: str) -> None:
    assert list(faults(SHIPMENT, changed(shipment_body(), path, 1))) == [f"/{path}"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 10**400])
def test_non_finite_numbers_are_rejected(value: float) -> None:
    # no place in the model: the body as a whole is not JSON
    assert list(faults(EVENT, changed(event_body(), "location/lat", value))) == [""]
    assert list(faults(SHIPMENT, changed(shipment_body(), "package/weight_kg", value))) == [""]


def test_status_created_is_rejected_with_the_reportable_statuses() -> None:
    message = faults(EVENT, event_body(status="created"))["/status"]
    assert Status.CREATED not in message.replace("must be", "")
    assert all(status in message for status in REPORTABLE)


def test_reserved_source_is_rejected_with_the_reason() -> None:
    assert "reserved" in faults(EVENT, event_body(source="api"))["/source"]


def test_all_faults_of_a_body_are_named_at_once() -> None:
    body: Body = {"tracking_number": "99M-X", "status": "created", "timestamp": "2026-03-01T12:00:00", "x": 1}
    assert set(faults(EVENT, body)) == {"/tracking_number", "/status", "/timestamp", "/source", "/x"}


def test_faults_of_a_batch_point_to_their_events() -> None:
    events = [event_body(), event_body(source=""), event_body(), event_body(status="created", timestamp="x")]
    assert set(faults(BATCH, {"events": events})) == {
        "/events/1/source",
        "/events/3/status",
        "/events/3/timestamp",
    }


@pytest.mark.parametrize(
    ("count", "good"), [(1, True), (MAX_BATCH, True), (0, False), (MAX_BATCH + 1, False)]
)
def test_a_batch_has_a_bounded_number_of_events(count: int, good: bool) -> None:  # noqa: FBT001  # a parameter
    found = faults(BATCH, {"events": [event_body()] * count})
    assert list(found) == ([] if good else ["/events"])


@pytest.mark.parametrize("body", [[], [event_body()], {"events": {}}, {"events": [1]}, "x", None])
def test_malformed_batch_is_rejected(body: object) -> None:
    assert faults(BATCH, body)


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"notes":"\\ud800"}', b"[" * 100_000, b"9" * 5000])
@pytest.mark.parametrize("adapter", [EVENT, BATCH, SHIPMENT])
def test_malformed_json_is_rejected(adapter: TypeAdapter[Any], raw: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        parse_json(raw, adapter)
    assert refused.value.status == 400


def test_text_of_any_language_is_accepted() -> None:
    for text in ("Depósito nº 4", "倉庫", "\U0001f69a", "\u202e", "e\u0301"):
        assert faults(EVENT, event_body(notes=text, source=text)) == {}
