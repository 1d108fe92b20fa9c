"""Numbers in files: with a decimal point or a decimal comma, and with groups of thousands."""

import re
from math import isfinite
from typing import Final

from waybill.importing.errors import InvalidRow, message

NO_NUMBER: Final = message("is no number")

_GROUPED: Final = (
    re.compile(r"[+-]?\d{1,3}(?:,\d{3})+\.\d+"),
    re.compile(r"[+-]?\d{1,3}(?:[.\u00a0\u202f ']\d{3})+,\d+"),
)
_NO_DIGIT: Final = re.compile(r"[^\d+-]")


def number_of(column: str, text: str) -> float:
    """Return the number of a cell.

    One comma or point alone is the decimal one: `1,234` is 1.234. Of both, the last is the decimal one.

    Raises:
        InvalidRow: it is none, or not finite.
    """
    try:
        number = float(_with_point(text.strip()).replace("_", "?"))  # which float takes as a separator
    except ValueError as error:
        raise InvalidRow(column, NO_NUMBER) from error
    if not isfinite(number):
        raise InvalidRow(column, NO_NUMBER)
    return number


def _with_point(text: str) -> str:
    """Return a number with a decimal point and without groups."""
    if any(form.fullmatch(text) for form in _GROUPED):
        mark = max(text.rfind(","), text.rfind("."))
        return f"{_NO_DIGIT.sub('', text[:mark])}.{text[mark + 1 :]}"
    return text.replace(",", ".", 1) if "." not in text else text
