"""Columns of a file: they have the names of the API's fields, or a layout names them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from waybill.importing.times import DateOrder


class Kind(StrEnum):
    """Kind of the rows of a file."""

    EVENTS = "events"
    SHIPMENTS = "shipments"


EVENT_COLUMNS: Final = (
    "tracking_number",
    "status",
    "checkpoint",
    "timestamp",
    "source",
    "location_lat",
    "location_lng",
    "location_address",
    "notes",
    "signed_by",
)
SHIPMENT_COLUMNS: Final = (
    "reference",
    "client_id",
    "origin_address",
    "origin_lat",
    "origin_lng",
    "destination_address",
    "destination_lat",
    "destination_lng",
    "weight_kg",
    "length_cm",
    "width_cm",
    "height_cm",
    "content_description",
    "estimated_delivery_earliest",
    "estimated_delivery_latest",
)
COLUMNS: Final[Mapping[Kind, tuple[str, ...]]] = MappingProxyType(
    {Kind.EVENTS: EVENT_COLUMNS, Kind.SHIPMENTS: SHIPMENT_COLUMNS}
)

OUTCOME: Final = "waybill_outcome"
EVENT_ID: Final = "waybill_event_id"
NUMBER: Final = "waybill_tracking_number"
ERROR: Final = "waybill_error"
RESULT_COLUMNS: Final[Mapping[Kind, tuple[str, str, str]]] = MappingProxyType(
    {Kind.EVENTS: (OUTCOME, EVENT_ID, ERROR), Kind.SHIPMENTS: (OUTCOME, NUMBER, ERROR)}
)
"""Columns that a result file has beside those of the file."""
_RESULTS: Final = frozenset({OUTCOME, EVENT_ID, NUMBER, ERROR})

_EVENT_NEEDS: Final = ("tracking_number", "timestamp")
_SHIPMENT_NEEDS: Final = (
    "reference",
    "origin_address",
    "origin_lat",
    "origin_lng",
    "destination_address",
    "destination_lat",
    "destination_lng",
    "weight_kg",
)

Positions = Mapping[str, tuple[int, ...]]
Headers = Mapping[str, Sequence[str]]
NO_HEADERS: Final[Headers] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Reading:
    """Way of reading the rows of a file.

    Attributes:
        columns: positions of the known columns, by their names; of several, the cells are joined.
        zone: of times without an offset; None: these are errors.
        order: of the parts of a date.
        source: of rows without one; empty: there is none.
        statuses: statuses or checkpoints by the file's words, in lower case.
        constants: texts of columns that the file lacks.
    """

    columns: Positions
    zone: ZoneInfo | None
    order: DateOrder
    source: str = ""
    statuses: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)

    def cell(self, row: Sequence[str], name: str) -> str:
        """Return a cell of a row; empty where the file has no such column."""
        found = [row[position] for position in self.columns.get(name, ())]
        return " ".join(filter(None, found)) or self.constants.get(name, "")


def columns_of(
    header: Sequence[str], known: Iterable[str] = EVENT_COLUMNS, named: Headers = NO_HEADERS
) -> dict[str, tuple[int, ...]]:
    """Return the positions of the known columns; of two with one name, the first counts.

    Args:
        header: names of the columns, as the file has them.
        known: names of the API's fields.
        named: the file's own names for some of them.
    """
    names = [name_of(cell) for cell in header]
    found = {}
    for name in known:
        wanted = [name_of(each) for each in named.get(name, (name,))]
        if all(each in names for each in wanted):
            found[name] = tuple(names.index(each) for each in wanted)
    return found


def ignored_columns(
    header: Sequence[str], known: Iterable[str] = EVENT_COLUMNS, named: Headers = NO_HEADERS
) -> tuple[str, ...]:
    """Return the columns that are not read; they stay in the result file."""
    read = {at for positions in columns_of(header, known, named).values() for at in positions}
    return tuple(
        cell for at, cell in enumerate(header) if cell and at not in read and name_of(cell) not in _RESULTS
    )


def missing_columns(columns: Iterable[str], *, has_source: bool) -> tuple[str, ...]:
    """Return the required columns that a file of events lacks; `status` stands for itself or `checkpoint`."""
    present = set(columns)
    missing = [name for name in _EVENT_NEEDS if name not in present]
    if not {"status", "checkpoint"} & present:
        missing.append("status")
    if "source" not in present and not has_source:
        missing.append("source")
    return tuple(missing)


def missing_shipment_columns(columns: Iterable[str]) -> tuple[str, ...]:
    """Return the required columns that a file of shipments lacks."""
    present = set(columns)
    return tuple(name for name in _SHIPMENT_NEEDS if name not in present)


def name_of(cell: str) -> str:
    """Return the name in a cell of the header: `Tracking number` and `location.lat` are the API's names."""
    return "_".join(cell.casefold().replace(".", "_").replace("-", "_").split())
