"""Layouts: what a kind of file calls its columns and statuses, and the errors in one."""

import pytest

from waybill.importing.columns import Kind
from waybill.importing.errors import InvalidLayout
from waybill.importing.importer import FileImport
from waybill.importing.layouts import read_layout
from waybill.importing.shipments import keys_of
from waybill.importing.times import DateOrder

EVENTS = b"tracking_number,status,timestamp,source\n99M-1,picked_up,%s,dock-1\n"
SHIPMENT = {"reference": "4711", "client_id": "client_001"}


def test_an_option_goes_before_the_layout() -> None:
    text = 'zone = "UTC"\ndates = "dmy"\nseparator = "tab"\nkind = "shipments"'
    layout = read_layout(text, zone="America/Mexico_City", dates=None)
    assert (str(layout.zone), layout.dates) == ("America/Mexico_City", DateOrder.DAY_FIRST)
    assert (layout.options.separator, layout.kind) == ("\t", Kind.SHIPMENTS)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("zone = ", "the layout is no TOML: Invalid value (at end of document)"),
        ('zones = "UTC"', "the layout has an unknown name: zones"),
        ('zone = "Mexico City"', "there is no time zone 'Mexico City'; one is America/Mexico_City"),
        ("zone = 6", "zone in the layout is no text: write it in quotes"),
        ('dates = "ydm"', "dates is 'ydm', and can be ymd, dmy, mdy, unix"),
        ('separator = "::"', "a separator is one character, or tab; '::' is none"),
        ('columns = "a"', "columns in the layout is no table: write [columns]"),
        ('[columns]\nguia = "a"', "[columns] has an unknown field: guia; one of "),
        ("[columns]\ntimestamp = []", "the layout names no column for timestamp"),
        ('[constants]\nguia = "a"', "[constants] has an unknown field: guia; one of "),
    ],
)
def test_a_mistake_in_a_layout_is_named(text: str, problem: str) -> None:
    with pytest.raises(InvalidLayout) as error:
        read_layout(text)
    assert str(error.value).startswith(problem)


@pytest.mark.parametrize(
    ("content", "layout", "problem"),
    [
        (EVENTS % b"2026-11-30 14:05", "", "line 2: timestamp '2026-11-30 14:05' has no offset, and no zone"),
        (EVENTS % b"3/4/2026 14:05", 'zone = "UTC"', "'3/4/2026 14:05' may begin with the day or the month"),
        (
            EVENTS % b"",
            '[columns]\nnotes = "Nota"',
            "the file has no column 'Nota', which the layout names for notes",
        ),
        (
            b"guia,estado\n1,2\n",
            "",
            "has no column for tracking_number, timestamp, status, source; it has guia, estado",
        ),
    ],
)
def test_a_file_that_needs_another_layout_is_refused_before_anything_is_sent(
    content: bytes, layout: str, problem: str
) -> None:
    with pytest.raises(InvalidLayout) as error:
        FileImport.read(content, read_layout(layout))
    assert problem in str(error.value)


def test_columns_that_are_not_read_and_those_with_one_name_are_said() -> None:
    imported = FileImport.read(
        b"tracking_number,Status,status,timestamp,source,carrier\n99M-1,picked_up,x,2026-11-30T14:05:00Z,d,ups\n",
        read_layout(""),
    )
    assert (imported.ignored, imported.repeated) == (("status", "carrier"), ("Status",))


def test_a_key_is_of_the_reference_the_client_and_the_place() -> None:
    first, second, other, third = keys_of(
        [SHIPMENT, SHIPMENT, SHIPMENT | {"client_id": "b"}, {"reference": "4711"}]
    )
    assert len({first, second, other, third}) == 4
    assert keys_of([SHIPMENT | {"weight_kg": 2}]) == [first]
