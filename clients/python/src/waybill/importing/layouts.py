"""Layouts: what a kind of file calls its columns and statuses, written once as TOML.

zone = "America/Chicago"
source = "landmark"

[columns]
tracking_number = "Reference"
timestamp = ["Date", "Time"]

[statuses]
"275" = "delivered"
"60" = "skip"
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from waybill.importing.columns import COLUMNS, Headers, Kind
from waybill.importing.errors import InvalidLayout
from waybill.importing.tables import ReadOptions
from waybill.importing.times import DateOrder, zone_of

_TEXTS: Final = ("zone", "dates", "source", "kind", "encoding", "separator", "sheet")
_TABLES: Final = ("columns", "statuses", "constants")
_KNOWN: Final = frozenset(name for names in COLUMNS.values() for name in names)


@dataclass(frozen=True, slots=True)
class Layout:
    """Facts about a kind of file.

    Attributes:
        zone: of times without an offset; None: these are errors.
        dates: order of the parts of a date.
        source: of events without one.
        kind: of the rows; None: their columns say.
        options: encoding, separator, sheet.
        columns: the file's names of columns, by the API's names.
        statuses: statuses, checkpoints or `skip` by the file's words, in lower case.
        constants: texts of columns that the file lacks, by the API's names.
    """

    zone: ZoneInfo | None = None
    dates: DateOrder = DateOrder.YEAR_FIRST
    source: str = ""
    kind: Kind | None = None
    options: ReadOptions = field(default_factory=ReadOptions)
    columns: Headers = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)


def read_layout(text: str, **instead: str | None) -> Layout:
    """Return the layout that a TOML text describes.

    Args:
        text: empty: nothing is known.
        instead: values in the place of its own, such as `zone=`; None: its own stands.

    Raises:
        InvalidLayout: it is no TOML, or has an unknown name or value; the text says which.
    """
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidLayout(f"the layout is no TOML: {error}") from error
    read |= {name: value for name, value in instead.items() if value is not None}
    unknown = sorted(set(read) - {*_TEXTS, *_TABLES})
    if unknown:
        raise InvalidLayout(f"the layout has an unknown name: {unknown[0]}")
    texts = {name: _text(name, read.get(name, "")) for name in _TEXTS}
    return Layout(
        zone=zone_named(texts["zone"]),
        dates=_choice("dates", texts["dates"] or DateOrder.YEAR_FIRST, DateOrder),
        source=texts["source"],
        kind=_choice("kind", texts["kind"], Kind) if texts["kind"] else None,
        options=ReadOptions(
            texts["encoding"] or None, _separator(texts["separator"]), texts["sheet"] or None
        ),
        columns=_columns(_table("columns", read)),
        statuses={word.casefold(): _text(word, meant) for word, meant in _table("statuses", read).items()},
        constants=_constants(_table("constants", read)),
    )


def zone_named(name: str) -> ZoneInfo | None:
    """Return a zone; None for an empty name.

    Raises:
        InvalidLayout: there is no such zone.
    """
    zone = zone_of(name) if name else None
    if name and zone is None:
        raise InvalidLayout(f"there is no time zone {name!r}; one is America/Mexico_City")
    return zone


def _columns(table: Mapping[str, Any]) -> Headers:
    found = {}
    for name, names in table.items():
        _require_known("columns", name)
        listed = names if isinstance(names, list) else [names]
        found[name] = tuple(_text(name, each) for each in listed)
        if not found[name] or not all(found[name]):
            raise InvalidLayout(f"the layout names no column for {name}")
    return found


def _constants(table: Mapping[str, Any]) -> Mapping[str, str]:
    for name in table:
        _require_known("constants", name)
    return {name: _text(name, value) for name, value in table.items()}


def _require_known(table: str, name: str) -> None:
    if name not in _KNOWN:
        raise InvalidLayout(f"[{table}] has an unknown field: {name}; one of {', '.join(sorted(_KNOWN))}")


def _table(name: str, read: Mapping[str, Any]) -> Mapping[str, Any]:
    table = read.get(name, {})
    if not isinstance(table, dict):
        raise InvalidLayout(f"{name} in the layout is no table: write [{name}]")
    return table


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidLayout(f"{name} in the layout is no text: write it in quotes")
    return value


def _separator(text: str) -> str | None:
    text = {"tab": "\t", "\\t": "\t"}.get(text.casefold(), text)
    if len(text) > 1:
        raise InvalidLayout(f"a separator is one character, or tab; {text!r} is none")
    return text or None


_Choice = TypeVar("_Choice", DateOrder, Kind)


def _choice(name: str, value: str, among: type[_Choice]) -> _Choice:
    try:
        return among(value)
    except ValueError as error:
        choices = ", ".join(each.value for each in among)
        raise InvalidLayout(f"{name} is {value!r}, and can be {choices}") from error
