"""Errors of a file: it cannot be read, a row of it is wrong, or its layout is.

Each text for people is a constant in English. Pages that show it in other languages translate `reason`, and
fill its figures in; `message` marks these texts for their catalogues.
"""


def message(source: str) -> str:
    """Mark a text for the catalogues of pages; it is translated where it is shown."""
    return source


class UnreadableFile(ValueError):
    """A file that cannot be read as a table.

    Attributes:
        reason: in English, with names of figures in braces.
        figures: numbers in the reason.
    """

    def __init__(self, reason: str, **figures: int) -> None:
        super().__init__(reason.format(**{name: f"{figure:,}" for name, figure in figures.items()}))
        self.reason = reason
        self.figures = figures


class InvalidLayout(ValueError):
    """A layout, or an option in its place, that does not fit the file or has a mistake."""


class InvalidRow(ValueError):
    """A row that cannot be sent.

    Attributes:
        column: the one that is wrong.
        reason: in English, to follow the column's name.
    """

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column} {reason}")
        self.column = column
        self.reason = reason


class InvalidTime(ValueError):
    """A text that is no time; its own text is the reason."""


class SkippedRow(Exception):  # no error: the layout says so
    """A row whose status the layout leaves out."""
