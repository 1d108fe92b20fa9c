"""Import of CSV and XLSX files: events that a warehouse has scanned, and shipments to register."""

from waybill.importing.columns import Kind
from waybill.importing.errors import InvalidLayout, UnreadableFile
from waybill.importing.importer import FileImport
from waybill.importing.layouts import Layout, read_layout
from waybill.importing.limits import Limits
from waybill.importing.results import Outcome, RowResult

__all__ = [
    "FileImport",
    "InvalidLayout",
    "Kind",
    "Layout",
    "Limits",
    "Outcome",
    "RowResult",
    "UnreadableFile",
    "read_layout",
]
