"""Whatever is written to the log is read from it unchanged."""

import json
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

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
from domain.shipments.event_identity import API_SOURCE, creation_event_id, event_id
from domain.shipments.status import REPORTABLE
from domain.shipments.tracking_number import tracking_number_from
from domain.timestamps import to_milliseconds
from messaging import codec

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
