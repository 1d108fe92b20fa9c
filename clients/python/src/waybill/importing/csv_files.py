"""CSV files as spreadsheets and carriers write them: the encoding and the separator are found, and said."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import charset_normalizer

from waybill.importing.errors import InvalidLayout, UnreadableFile, message

NOT_A_TABLE: Final = message("This is no file that can be read: choose a CSV or an XLSX file.")

DAMAGED: Final = message("The text of the file is damaged: byte {at} cannot be read in its encoding.")

SEPARATORS: Final = (",", ";", "\t", "|")
ENCODINGS: Final = ("cp1252", "cp1250", "cp1251", "cp932", "gb18030", "big5", "cp949", "mac_roman", "cp850")
"""Encodings that are tried, beside those of Unicode; cp932 is Shift-JIS as Windows has it."""
LOOKED_AT_ROWS: Final = 50
LOOKED_AT_BYTES: Final = 100_000

_NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

_FEW: Final = 10
"""Readable characters beside a damaged one in a text that is still UTF-8."""

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_EXCEL_HINT: Final = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
"""First line by which Excel learns the separator; it is no row."""
_WESTERN: Final = re.compile(
    r"[\x00-\x7fÀ-ÿŒœŠšŽžŸ¡¿ªº°·«»€£…©®¨§¹²³¼½¾\xa0\xb4\u2013\u2014\u2018\u2019\u201c\u201d]*"
)
_UNLIKELY: Final = re.compile(r"[^\x00-\x7f]{4}|[^\W\d_][£³¹¿¼¾][^\W\d_]|£[a-z]")
"""Runs of accented letters as in other alphabets, and signs within words as in Polish."""


@dataclass(frozen=True, slots=True)
class CsvFormat:
    r"""Way in which a CSV file is written.

    Attributes:
        encoding: name of Python's codec.
        bom: it begins with a byte order mark.
        separator: of its cells.
        newline: `\n` or `\r\n`.
        hint: first line that says the separator, with its line end; empty: there is none.
    """

    encoding: str = "utf-8"
    bom: bool = False
    separator: str = ","
    newline: str = "\r\n"
    hint: str = ""

    def __str__(self) -> str:
        """Say the format, for people."""
        mark = " with byte order mark" if self.bom else ""
        return f"CSV, {self.encoding}{mark}, separator {_NAMES.get(self.separator, self.separator)}"


def read_csv(
    content: bytes, *, encoding: str | None = None, separator: str | None = None
) -> tuple[CsvFormat, Iterator[Sequence[str]]]:
    """Return the format of a CSV file, and its rows as they are there.

    Args:
        content: of the file.
        encoding: None: it is found.
        separator: None: it is found.

    Raises:
        UnreadableFile: it is no text, or not of this encoding; also while the rows are read.
        InvalidLayout: there is no such encoding.
    """
    text, encoding, bom = _decoded(content, encoding)
    if "\0" in text:
        raise UnreadableFile(NOT_A_TABLE)
    hint = _EXCEL_HINT.match(text)
    body = text[hint.end() :] if hint else text
    found = CsvFormat(
        encoding=encoding,
        bom=bom,
        separator=separator or (hint[1] if hint else _separator_of(body)),
        newline="\r\n" if "\r\n" in body[: body.find("\n") + 1] else "\n",
        hint=hint[0] if hint else "",
    )
    return found, _rows(body, found.separator)


def write_csv(rows: Iterable[Sequence[str]], to: CsvFormat) -> bytes:
    """Return rows as a CSV file of a format; characters that its encoding lacks are written as escapes."""
    written = io.StringIO()
    written.write(to.hint)
    csv.writer(written, delimiter=to.separator, lineterminator=to.newline).writerows(rows)
    mark = next((mark for mark, name in _BOMS if to.bom and name == to.encoding), b"")
    return mark + written.getvalue().encode(to.encoding, errors="backslashreplace")


def _rows(text: str, separator: str) -> Iterator[Sequence[str]]:
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    except csv.Error as error:
        raise UnreadableFile(NOT_A_TABLE) from error


def _decoded(content: bytes, encoding: str | None) -> tuple[str, str, bool]:
    """Return the text, its encoding, and whether it begins with a byte order mark."""
    mark, marked = next((each for each in _BOMS if content.startswith(each[0])), (b"", None))
    try:
        name = marked or (codecs.lookup(encoding).name if encoding else _encoding_of(content))
        return content[len(mark) :].decode(name), name, bool(mark)
    except LookupError as error:
        raise InvalidLayout(f"there is no encoding {encoding!r}") from error
    except UnicodeDecodeError as error:
        raise UnreadableFile(DAMAGED, at=error.start) from error


def _encoding_of(content: bytes) -> str:
    """Return the encoding of a text without a byte order mark.

    UTF-8 has so much form that other text is never taken for it. Of the encodings with one byte for a
    character, that of Western Windows comes first if its text looks so. The others are guessed by the
    frequencies of their letters.
    """
    if _is_utf_8(content):
        return "utf-8"
    if _is_of(content, "cp1252"):
        text = content.decode("cp1252")
        if _WESTERN.fullmatch(text) and not _UNLIKELY.search(text):
            return "cp1252"
    beginning = content[: content.rfind(b"\n", 0, LOOKED_AT_BYTES) + 1] or content  # no character is cut
    best = charset_normalizer.from_bytes(beginning, cp_isolation=list(ENCODINGS[1:]), threshold=0.4).best()
    if best is not None and _is_of(content, best.encoding):
        return best.encoding
    return next((each for each in ENCODINGS if _is_of(content, each)), "latin-1")


def _is_utf_8(content: bytes) -> bool:
    """Say whether a text is UTF-8, even if single characters of it are damaged."""
    text = content.decode("utf-8", errors="replace")
    damaged = text.count("\ufffd")
    return len(text) - len(text.encode("ascii", errors="ignore")) >= _FEW * damaged


def _is_of(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _separator_of(text: str) -> str:
    """Return the separator by which most of the first rows have the same number of cells."""
    best, most = SEPARATORS[0], (0, 0)
    for separator in SEPARATORS:
        widths = Counter(_widths(text, separator))
        width, count = max(widths.items(), key=lambda each: (each[1], each[0]), default=(0, 0))
        if (count, width) > most:
            best, most = separator, (count, width)
    return best


def _widths(text: str, separator: str) -> list[int]:
    """Return the widths of the first rows that have more than one cell."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        return [len(row) for row in islice(reader, LOOKED_AT_ROWS) if len(row) > 1]
    except csv.Error:
        return []
