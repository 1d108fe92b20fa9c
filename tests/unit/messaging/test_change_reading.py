"""Changes as readers of the feed see them: those of earlier and later releases too, and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import PoisonRecord
from domain.shipments.commands import Report, ReportCheckpoint, RetractEvent
from domain.shipments.status import Status
from domain.webhooks.message import full_body
from messaging.change_codec import decode_change, encode_change
from tests.unit.messaging.golden_commands import CHANGES


def message(name: str = "changed_status") -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(encode_change(*CHANGES[name]))
    return parsed


def encoded(parsed: object) -> bytes:
    return json.dumps(parsed).encode()


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_read_as_it_was_written(name: str) -> None:
    command, record = CHANGES[name]
    change = decode_change(encode_change(command, record))
    assert (change.change_id, change.tracking_number) == (command.event_id, command.tracking_number)
    assert (change.client_id, change.version) == (record.client_id, record.version)
    assert (change.current_status, change.timestamp) == (record.status, command.timestamp)
    assert change.checkpoint == (command.checkpoint if isinstance(command, ReportCheckpoint) else None)
    assert change.retracts == (command.retracts if isinstance(command, RetractEvent) else None)
    if isinstance(command, Report):
        assert (change.source, change.location, change.notes) == (
            command.source,
            command.location,
            command.notes,
        )


def test_a_message_of_an_earlier_release_lacks_the_status_before() -> None:
    older = message()
    del older["data"]["current_status"], older["data"]["previous_status"]
    change = decode_change(encoded(older))
    assert (change.current_status, change.previous_status) == (Status.IN_WAREHOUSE, None)


def test_who_signed_is_not_passed_on_even_if_a_message_says_it() -> None:
    said = message("changed_status_signed")
    said["data"]["signed_by"] = "Ana"
    assert "Ana" not in json.dumps(full_body(decode_change(encoded(said))))


def test_fields_of_later_releases_are_ignored() -> None:
    later = message()
    later["data"]["mood"] = later["mood"] = "calm"
    later["data"]["location"]["floor"] = 3
    assert decode_change(encoded(later)) == decode_change(encoded(message()))


REQUIRED = ("event_id", "tracking_number", "client_id", "status", "version", "timestamp")


@pytest.mark.parametrize("name", REQUIRED)
def test_a_message_without_a_field_that_every_change_has_is_unreadable(name: str) -> None:
    broken = message()
    del broken["data"][name]
    with pytest.raises(PoisonRecord, match=name):
        decode_change(encoded(broken))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "lost"),
        ("version", "two"),
        ("timestamp", "noon"),
        ("location", "here"),
        ("client_id", None),
    ],
)
def test_a_field_of_another_kind_is_unreadable(name: str, value: object) -> None:
    broken = message()
    broken["data"][name] = value
    with pytest.raises(PoisonRecord, match=name):
        decode_change(encoded(broken))


@pytest.mark.parametrize(
    "value", [None, b"", b"{", b"null", b"[]", b'"text"', b"\xff", encoded({"type": "x"})]
)
def test_what_is_no_message_is_unreadable(value: bytes | None) -> None:
    with pytest.raises(PoisonRecord):
        decode_change(value)


@given(st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(encoded))
def test_whatever_stands_in_the_topic_is_read_or_unreadable(value: bytes) -> None:
    with pytest.raises(PoisonRecord):
        decode_change(value)
