"""Exports of carriers, shops and warehouses: each is read as it is meant, or refused with the reason."""

import pytest

from tests.unit.clients.importing import carrier_exports, sheet_exports
from tests.unit.clients.importing.exporting import Export
from waybill.importing.errors import InvalidLayout
from waybill.importing.importer import FileImport
from waybill.importing.layouts import read_layout
from waybill.importing.results import Outcome
from waybill.importing.tables import read_table

EXPORTS = [
    each
    for module in (carrier_exports, sheet_exports)
    for each in vars(module).values()
    if isinstance(each, Export)
]


def test_the_exports_are_many() -> None:
    assert len(EXPORTS) >= 15


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_the_format_of_an_export_is_found_and_said(export: Export) -> None:
    assert str(read_table(export.content).format) == export.said


@pytest.mark.parametrize("export", [each for each in EXPORTS if not each.refused], ids=lambda each: each.name)
def test_rows_of_an_export_are_read_in_the_order_of_their_times(export: Export) -> None:
    imported = FileImport.read(export.content, read_layout(export.layout))
    assert list(imported.rows.values()) == export.rows
    told = {
        line + 1: result.error or result.outcome.value
        for line, result in zip(imported.table.lines, imported.results, strict=True)
        if result.outcome is not Outcome.NOT_SENT
    }
    assert told == export.others


@pytest.mark.parametrize("export", [each for each in EXPORTS if each.refused], ids=lambda each: each.name)
def test_an_export_that_lacks_what_the_api_needs_is_refused_with_the_columns(export: Export) -> None:
    with pytest.raises(InvalidLayout, match=export.refused):
        FileImport.read(export.content, read_layout(export.layout))
