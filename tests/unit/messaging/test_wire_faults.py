"""Every way in which a record can be unreadable is a `PoisonRecord` whose reason says where."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from domain.errors import PoisonRecord
from messaging import codec
from tests.unit.messaging.golden_commands import COMMANDS, NUMBER

Members = dict[str, Any]
Spoil = Callable[[Members], object]

NOT_A_MAP = [b"", b"{", b"null", b"[]", b'"text"', b"17", b"\xff\xfe", b'{"a":"\\ud800"}', b"[" * 100_000]
ENVELOPE = ["specversion", "id", "source", "subject", "time", "recordedtime", "submittedby", "type", "data"]


def members(name: str) -> Members:
    """Return a golden record as a map, to be spoiled."""
    record: Members = json.loads(codec.encode(COMMANDS[name]))
    return record


def reason_of(record: Members) -> str:
    """Return why a record cannot be read."""
    with pytest.raises(PoisonRecord) as poison:
        codec.decode(json.dumps(record).encode())
    return poison.value.reason


def test_a_record_without_a_value_is_unreadable() -> None:
    with pytest.raises(PoisonRecord, match="no value"):
        codec.decode(None)


@pytest.mark.parametrize("value", NOT_A_MAP, ids=lambda value: repr(value[:8]))
def test_what_is_no_json_object_is_unreadable(value: bytes) -> None:
    with pytest.raises(PoisonRecord, match=r"JSON|object"):
        codec.decode(value)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("member", ENVELOPE)
def test_every_member_of_the_envelope_is_needed(name: str, member: str) -> None:
    record = members(name)
    del record[member]
    assert member in reason_of(record)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("member", ENVELOPE)
@pytest.mark.parametrize("wrong", [None, 17, ["x"]])
def test_every_member_of_the_envelope_has_its_type(name: str, member: str, wrong: object) -> None:
    assert member in reason_of(members(name) | {member: wrong})


@pytest.mark.parametrize(
    ("where", "spoil"),
    [
        ("type", lambda record: record.update(type="waybill.shipment.status.v2")),
        ("type", lambda record: record.update(type="waybill.shipment.changed.v1")),
        ("specversion", lambda record: record.update(specversion="0.3")),
        ("subject", lambda record: record.update(subject="99M-0123456789AA")),
        ("subject", lambda record: record.update(subject="99M-0123456789aM")),
        ("subject", lambda record: record.update(subject="")),
        ("id", lambda record: record.update(id="evt_something_else")),
        ("id", lambda record: record.update(subject="99M-00000000000" + "0")),
        ("id", lambda record: record.update(time="2026-03-01T15:30:59.986Z")),
        ("id", lambda record: record["data"].update(source="scanner-8")),
        ("time", lambda record: record.update(time="yesterday")),
        ("time", lambda record: record.update(time="2026-03-01T15:30:59.987")),
        ("time", lambda record: record.update(time="2026-02-30T00:00:00Z")),
        ("time", lambda record: record.update(time="0001-01-01T00:00:00+14:00")),
        ("time", lambda record: record.update(time="9999-12-31T23:59:59-14:00")),
        ("recordedtime", lambda record: record.update(recordedtime="9999-12-31T23:59:59-14:00")),
        ("recordedtime", lambda record: record.update(recordedtime="")),
    ],
)
def test_an_envelope_that_contradicts_itself_is_unreadable(where: str, spoil: Spoil) -> None:
    record = members("status")
    spoil(record)
    assert where in reason_of(record).partition(":")[0] or f"'{where}'" in reason_of(record)


@pytest.mark.parametrize(
    ("where", "spoil"),
    [
        ("data.status", lambda data: data.pop("status")),
        ("data.status", lambda data: data.update(status="created")),
        ("data.status", lambda data: data.update(status="lost")),
        ("data.status", lambda data: data.update(status=None)),
        ("data.source", lambda data: data.pop("source")),
        ("data.source", lambda data: data.update(source=5)),
        ("data.notes", lambda data: data.update(notes=["x"])),
        ("data.notes", lambda data: data.update(notes=None)),
        ("data.utc_offset", lambda data: data.update(utc_offset="-6")),
        ("data.utc_offset", lambda data: data.update(utc_offset="-06:00\n")),
        ("data.utc_offset", lambda data: data.update(utc_offset=-360)),
        ("data.location", lambda data: data.update(location="here")),
        ("data.location.lat", lambda data: data["location"].pop("lat")),
        ("data.location.lat", lambda data: data["location"].update(lat="north")),
        ("data.location.lat", lambda data: data["location"].update(lat=float("nan"))),
        ("data.location.lng", lambda data: data["location"].update(lng=float("inf"))),
        ("data.location.lng", lambda data: data["location"].update(lng=10**400)),
        ("data.location.address", lambda data: data["location"].update(address=1)),
    ],
)
def test_a_status_event_of_another_form_is_unreadable(where: str, spoil: Spoil) -> None:
    record = members("status")
    spoil(record["data"])
    assert where in reason_of(record)


@pytest.mark.parametrize(
    ("where", "spoil"),
    [
        ("data.client_id", lambda data: data.pop("client_id")),
        ("data.client_id", lambda data: data.update(client_id=1)),
        ("data.origin", lambda data: data.pop("origin")),
        ("data.origin.address", lambda data: data["origin"].update(address=None)),
        ("data.destination.coordinates", lambda data: data["destination"].pop("coordinates")),
        ("data.destination.coordinates.lat", lambda data: data["destination"]["coordinates"].update(lat="")),
        ("data.package", lambda data: data.update(package=[])),
        ("data.package.weight_kg", lambda data: data["package"].pop("weight_kg")),
        ("data.package.weight_kg", lambda data: data["package"].update(weight_kg=float("nan"))),
        ("data.package.dimensions.height", lambda data: data["package"]["dimensions"].pop("height")),
        ("data.package.content_description", lambda data: data["package"].update(content_description=1)),
        ("data.request_key", lambda data: data.update(request_key=1)),
    ],
)
def test_a_creation_of_another_form_is_unreadable(where: str, spoil: Spoil) -> None:
    record = members("created")
    spoil(record["data"])
    assert where in reason_of(record)


@pytest.mark.parametrize(
    ("where", "spoil"),
    [
        ("data.changes", lambda data: data.pop("changes")),
        ("data.changes", lambda data: data.update(changes=None)),
        ("data.changes.origin", lambda data: data["changes"].update(origin="here")),
        ("data.changes.origin.address", lambda data: data["changes"]["origin"].update(address=None)),
        (
            "data.changes.origin.coordinates.lng",
            lambda data: data["changes"]["origin"]["coordinates"].pop("lng"),
        ),
        ("data.changes.package.weight_kg", lambda data: data["changes"]["package"].update(weight_kg="much")),
        (
            "data.changes.package.dimensions.width",
            lambda data: data["changes"]["package"]["dimensions"].update(width=None),
        ),
        ("data.on_behalf_of", lambda data: data.update(on_behalf_of=7)),
    ],
)
def test_an_amendment_of_another_form_is_unreadable(where: str, spoil: Spoil) -> None:
    record = members("amended")
    spoil(record["data"])
    assert where in reason_of(record)


@pytest.mark.parametrize("name", COMMANDS)
def test_attributes_of_later_versions_are_tolerated(name: str) -> None:
    record = members(name) | {"traceparent": "00-…", "sequence": 4, "partitionkey": str(NUMBER)}
    assert codec.decode(json.dumps(record).encode()).command == COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_members_of_later_versions_do_not_change_what_an_event_says(name: str) -> None:
    record = members(name)
    record["data"]["mood"] = "sunny"
    assert codec.decode(json.dumps(record).encode()) == codec.decode(codec.encode(COMMANDS[name]))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], None),
        ([("reply-to", b"answers:a")], "answers:a"),
        ([("reply-to", b"answers:a"), ("reply-to", b"answers:b")], "answers:a"),
        ([("Reply-To", b"answers:a")], None),
        ([("reply-to", None)], None),
        ([("reply-to", b"\xff")], "\ufffd"),
    ],
)
def test_a_header_is_read_whatever_its_value(headers: Any, expected: str | None) -> None:  # noqa: ANN401  # Kafka knows null values
    assert codec.header(headers, codec.REPLY_TO) == expected


@pytest.mark.parametrize("version", [-1, 2**53 + 1, 10**400, 1.5])
def test_a_version_that_no_shipment_has_is_named(version: object) -> None:
    record = members("status")
    record["data"]["expected_versions"] = [version]
    assert "expected_versions.0" in reason_of(record)
