"""Bounds of a file: what is larger is refused before it is taken apart."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a file.

    Attributes:
        file_bytes: of the file as it lies there.
        unpacked_bytes: of all parts of an XLSX file together, decompressed.
        rows: below the header.
        columns: of a row.
        cells: rows times columns, empty ones included.
        cell_characters: of one cell; Excel's own bound is 32,767.
    """

    file_bytes: int = 50_000_000
    unpacked_bytes: int = 400_000_000
    rows: int = 50_000
    columns: int = 300
    cells: int = 2_000_000
    cell_characters: int = 32_767

    @property
    def lines(self) -> int:
        """Lines that are looked at, with empty ones: a sheet may have a million of these."""
        return 5 * self.rows
