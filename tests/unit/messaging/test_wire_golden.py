"""The wire, byte for byte: what stands in the log for years must stay readable."""

from dataclasses import replace

import pytest

from domain.shipments.commands import ReportStatus
from domain.shipments.event_identity import fingerprint
from messaging import codec
from messaging.change_codec import encode_change
from tests.unit.messaging.golden_commands import CHANGES, COMMANDS, GOLDEN


def golden(name: str) -> bytes:
    """Return the bytes of a golden file; its last line break is the editor's."""
    return (GOLDEN / f"{name}.json").read_bytes().removesuffix(b"\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_written_as_in_its_golden_file(name: str) -> None:
    assert codec.encode(COMMANDS[name]) == golden(name)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_golden_file_is_read_as_its_command(name: str) -> None:
    assert codec.decode(golden(name)).command == COMMANDS[name]


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_written_as_in_its_golden_file(name: str) -> None:
    assert encode_change(*CHANGES[name]) == golden(name)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_the_same_whenever_it_is_published(name: str) -> None:
    command, record = CHANGES[name]
    again = replace(record, last_offset=99_999, fingerprint="another")
    assert encode_change(command, again) == golden(name)


def test_every_golden_file_is_looked_at() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {*COMMANDS, *CHANGES}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_fingerprint_is_of_the_data_alone(name: str) -> None:
    command = COMMANDS[name]
    later = replace(command, received_at=command.received_at.replace(year=2027), submitted_by="somebody else")
    assert codec.decode(codec.encode(later)).fingerprint == codec.decode(golden(name)).fingerprint


def test_fingerprints_do_not_change_with_the_code() -> None:
    expected = {name: codec.decode(golden(name)).fingerprint for name in COMMANDS}
    assert expected == {
        "created": "e75fcbfb506194154abaaf7e",
        "created_bare": "eabab106399a94a955f29baa",
        "created_ordered": "12c631190db2e100b9febbfc",
        "amended_order": "6119906e7da13194c40b42b9",
        "status": "04ecd0ed3f234bbc47db7a87",
        "status_bare": "024c1c446f497ba18e9e0d0a",
        "status_local": "04ecd0ed3f234bbc47db7a87",
        "status_signed": "d1ae94155a2e42f27ec99a1b",
        "checkpoint": "dafdaf9e2337aa611725af82",
        "checkpoint_bare": "3ed88edb665b62c6df76963e",
        "cancelled": "f8ff333723514dece6ab4a68",
        "cancelled_if_match": "55c4cd9ee8dfe91a4dc5970d",
        "amended_if_match": "20660dbc4ce1c0b62b802487",
        "amended_if_never": "053799a0ef68b13f1cf1aff3",
        "amended": "0c3ee3260e59bc034aaf95b8",
        "amended_bare": "3b15543482c0e7947e86a999",
        "amended_side": "946df96d93a8ac8c6120f017",
        "retracted": "b8d8edb141cf3d38f9057f50",
        "retracted_own": "e5d81b924a35a5521fc461c1",
    }


def test_the_same_instant_in_another_zone_is_the_same_event() -> None:
    local, utc = [codec.decode(golden(name)) for name in ("status_local", "status")]
    assert isinstance(local.command, ReportStatus)
    assert local.command.utc_offset == "-06:00"
    assert (local.fingerprint, local.command.event_id) == (utc.fingerprint, utc.command.event_id)


def test_a_bare_status_has_the_fingerprint_of_its_two_members() -> None:
    data = {"source": "scanner-7", "status": "delivered"}
    assert codec.decode(golden("status_bare")).fingerprint == fingerprint(data)
