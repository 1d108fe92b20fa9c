"""Whatever is written to the log is read from it unchanged."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from domain.errors import PoisonRecord
from domain.shipments.checkpoint import PATTERN
from domain.shipments.commands import (
    OBSERVED,
    AmendShipment,
    Command,
    CreateShipment,
    ReportCheckpoint,
    ReportStatus,
)
from domain.shipments.event_identity import API_SOURCE, creation_event_id, event_id, fingerprint
from domain.shipments.status import REPORTABLE
from domain.shipments.tracking_number import tracking_number_from
from domain.timestamps import to_milliseconds
from messaging import codec
from tests.unit.messaging.golden_commands import COMMANDS, GOLDEN

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)
lengths = st.floats(0.001, 10_000)
numbers = st.binary(min_size=7, max_size=7).map(tracking_number_from)
instants = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)).map(  # noqa: DTZ001  # bounds are naive by contract
    to_milliseconds
)
coordinates = st.fixed_dictionaries({"lat": latitudes, "lng": longitudes})
dimensions = st.fixed_dictionaries({"length": lengths, "width": lengths, "height": lengths})
places = st.fixed_dictionaries({"address": texts, "coordinates": coordinates})
packages = st.fixed_dictionaries(
    {"weight_kg": lengths},
    optional={
        "dimensions": dimensions,
        "content_description": texts,
    },
)
place_changes = st.fixed_dictionaries({}, optional={"address": texts, "coordinates": coordinates})
package_changes = st.fixed_dictionaries(
    {}, optional={"weight_kg": lengths, "dimensions": dimensions, "content_description": texts}
)
windows = st.fixed_dictionaries({"earliest": texts, "latest": texts})
changes = st.fixed_dictionaries(
    {},
    optional={
        "origin": place_changes,
        "destination": place_changes,
        "package": package_changes,
        "reference": texts,
        "estimated_delivery": windows,
    },
)
locations = st.fixed_dictionaries({"lat": latitudes, "lng": longitudes}, optional={"address": texts})


@st.composite
def creations(draw: st.DrawFn) -> CreateShipment:
    number = draw(numbers)
    return CreateShipment(
        event_id=creation_event_id(number),
        tracking_number=number,
        client_id=draw(texts),
        origin=draw(places),  # type: ignore[arg-type]  # hypothesis knows no TypedDict
        destination=draw(places),  # type: ignore[arg-type]
        package=draw(packages),  # type: ignore[arg-type]
        timestamp=draw(instants),
        received_at=draw(instants),
        submitted_by=draw(texts),
        request_key=draw(st.none() | texts),
        reference=draw(st.none() | texts),
        estimated_delivery=draw(st.none() | windows),  # type: ignore[arg-type]
    )


@st.composite
def reports(draw: st.DrawFn) -> ReportStatus:
    number, timestamp, source = draw(numbers), draw(instants), draw(texts)
    return ReportStatus(
        event_id=event_id(number, timestamp, source),
        tracking_number=number,
        status=draw(st.sampled_from(REPORTABLE)),
        timestamp=timestamp,
        source=source,
        received_at=draw(instants),
        submitted_by=draw(texts),
        location=draw(st.none() | locations),  # type: ignore[arg-type]
        notes=draw(st.none() | texts),
        signed_by=draw(st.none() | texts),
        on_behalf_of=draw(st.none() | texts),
    )


@st.composite
def checkpoints(draw: st.DrawFn) -> ReportCheckpoint:
    number, timestamp, source = draw(numbers), draw(instants), draw(texts)
    return ReportCheckpoint(
        event_id=event_id(number, timestamp, source),
        tracking_number=number,
        checkpoint=draw(st.from_regex(PATTERN, fullmatch=True)),
        timestamp=timestamp,
        source=source,
        received_at=draw(instants),
        submitted_by=draw(texts),
        location=draw(st.none() | locations),  # type: ignore[arg-type]
        notes=draw(st.none() | texts),
        utc_offset=draw(st.sampled_from([None, "-06:00"])),
    )


@st.composite
def amendments(draw: st.DrawFn) -> AmendShipment:
    number, timestamp = draw(numbers), draw(instants)
    return AmendShipment(
        event_id=event_id(number, timestamp, API_SOURCE),
        tracking_number=number,
        changes=draw(changes),  # type: ignore[arg-type]
        timestamp=timestamp,
        received_at=draw(instants),
        submitted_by=draw(texts),
        on_behalf_of=draw(st.none() | texts),
    )


oddities = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(2**53 - 2, 2**53 + 2),
    st.floats(),
    texts,
    st.sampled_from(["1.5", "created", "delivered", "-06:00", "-06:00\n", "a_b", "a_b\n", {}, []]),
    st.lists(st.integers(-1, 5), max_size=3),
)
payload_values = st.recursive(
    st.one_of(st.text(), st.floats(), st.none(), st.booleans(), st.integers()),
    lambda inner: st.dictionaries(st.text(), inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=8,
)

ODD_NUMBERS = (0.0, -0.0, 1e16, -1e16, 9999999999999998.0, 1e-4, 9.999999999999999e-05, -1e-5, 1e300, 4)
ODD_TEXTS = ("\x7f", "Córdoba, São José", "a\x7f\x80\uffff\U0001f4e6\U0010ffff", "\u2028", '\0\b\x1f"/\\')


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """Draw a golden record, some of whose members are gone, others or new."""
    record = json.loads(codec.encode(COMMANDS[draw(st.sampled_from(sorted(COMMANDS)))]))
    for _ in range(draw(st.integers(0, 3))):
        place = record
        while True:
            name = draw(st.sampled_from([*place, "newer", "address", "checkpoint", "notes", "utc_offset"]))
            if not isinstance(place.get(name), dict) or not place[name] or draw(st.booleans()):
                break
            place = place[name]
        place.pop(name, None)
        if draw(st.booleans()):
            place[name] = deepcopy(draw(oddities))
    return json.dumps(record).encode()


def read(value: bytes) -> object:
    """Return what a record is read as, or why it is not."""
    try:
        return codec.decode(value)
    except PoisonRecord as poison:
        return poison.reason


@settings(max_examples=300, deadline=None)
@given(spoiled())
def test_a_record_is_read_alike_by_msgspec_and_by_pydantic(value: bytes) -> None:
    """A member that is not known, which is ignored, leaves a record to pydantic."""
    assert repr(read(value)) == repr(read(value.removesuffix(b"}") + b',"later":0}'))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_record_of_this_release_is_read_by_msgspec(name: str) -> None:
    codec.CLOSED_RECORD.decode((GOLDEN / f"{name}.json").read_bytes())


@settings(max_examples=300, deadline=None)
@given(creations() | reports() | checkpoints() | amendments())
def test_a_command_is_written_as_pydantic_writes_it(command: Command) -> None:
    value = codec.encode(command)
    assert value == to_json(from_json(value))


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(), payload_values, max_size=4))
def test_the_quick_fingerprint_is_the_canonical_one(payload: dict[str, Any]) -> None:
    assert codec.fingerprint_of(payload) == fingerprint(payload)


@pytest.mark.parametrize("odd", [*ODD_NUMBERS, *ODD_TEXTS, True, None, [1.5], {}], ids=repr)
def test_what_is_written_in_another_way_has_the_canonical_fingerprint(odd: object) -> None:
    for payload in ({"odd": odd}, {"b": 1.5, "a": {"odd": odd}}):
        assert codec.fingerprint_of(payload) == fingerprint(payload)


@pytest.mark.parametrize("unreadable", [b'"\xff"', b'"\\ud800"', b"[" * 300 + b"]" * 300], ids=len)
@pytest.mark.parametrize("end", [b"}", b"}}", b"}}}"], ids=len)
def test_an_unknown_member_that_is_unreadable_makes_the_record_unreadable(
    end: bytes, unreadable: bytes
) -> None:
    record = json.loads(codec.encode(COMMANDS["status_bare"]))
    record["data"]["location"] = {"lat": 1.5, "lng": 2.5}
    value = json.dumps(record).encode()
    with pytest.raises(PoisonRecord, match="JSON"):
        codec.decode(value.removesuffix(end) + b',"later":' + unreadable + end)


@settings(max_examples=200, deadline=None)
@given(creations() | reports() | checkpoints() | amendments())
def test_a_command_is_read_as_it_was_written(command: Command) -> None:
    assert codec.decode(codec.encode(command)).command == command


@settings(max_examples=200, deadline=None)
@given(creations() | reports() | checkpoints() | amendments())
def test_a_fingerprint_does_not_depend_on_the_order_of_members_or_the_form_of_the_json(
    command: Command,
) -> None:
    value = codec.encode(command)
    record = json.loads(value)
    record["data"] = dict(reversed(record["data"].items()))
    shuffled = json.dumps(dict(reversed(record.items())), indent=1).encode()
    assert codec.decode(shuffled) == codec.decode(value)


@settings(max_examples=50, deadline=None)
@given(creations() | reports() | checkpoints() | amendments())
def test_fields_of_a_newer_version_are_ignored(command: Command) -> None:
    value = codec.encode(command)
    record = json.loads(value)
    record["data"] |= {
        "newer": 1,
        "event_id": "evt",
        "timestamp": "now",
    }  # names of the command's own fields too
    assert codec.decode(json.dumps(record).encode()) == codec.decode(value)


@settings(max_examples=200, deadline=None)
@given(reports(), reports())
def test_two_reports_have_one_fingerprint_only_if_they_say_the_same(
    one: ReportStatus, other: ReportStatus
) -> None:
    names = ("status", "source", *OBSERVED, "on_behalf_of")
    said = [[getattr(each, name) for name in names] for each in (one, other)]
    same = codec.decode(codec.encode(one)).fingerprint == codec.decode(codec.encode(other)).fingerprint
    assert same == (said[0] == said[1])


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=200) | st.recursive(st.none() | texts, st.lists).map(lambda x: json.dumps(x).encode())
)
def test_no_bytes_break_the_decoder(value: bytes) -> None:
    try:
        codec.decode(value)
    except PoisonRecord as poison:
        assert poison.reason  # noqa: PT017  # it may as well decode
