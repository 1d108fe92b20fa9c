"""Characters that a string may have. Strings stay as they were sent: not trimmed, not normalised to NFC."""

import re
from typing import Final

_PLANES: Final = 17
_NONCHARACTERS: Final = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(_PLANES)
)
_SURROGATES: Final = "\ud800-\udfff"
_NEVER: Final = f"{_NONCHARACTERS}{_SURROGATES}"
_NOT_IN_LINE: Final = re.compile(f"[\0-\x1f\x7f-\x9f\u2028\u2029{_NEVER}]")
_NOT_IN_TEXT: Final = re.compile(f"[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_NEVER}]")

# The same for the OpenAPI document, in the syntax that JSON Schema, JavaScript and Python share: without the
# noncharacters beyond the first plane.
LINE_PATTERN: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufdd0-\ufdef\ufffe\uffff]*$"
TEXT_PATTERN: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]*$"


def require_line(text: str) -> str:
    """Return the string if it has no control characters (C0, C1), line breaks or noncharacters.

    Raises:
        ValueError: it has.
    """
    return _require_none_of(_NOT_IN_LINE, text)


def require_text(text: str) -> str:
    """Return the string if it has no control characters but tabs and line breaks, and no noncharacters.

    Raises:
        ValueError: it has others.
    """
    return _require_none_of(_NOT_IN_TEXT, text)


def _require_none_of(forbidden: re.Pattern[str], text: str) -> str:
    if text.isprintable():  # nearly always, and a tenth of the price of a search
        return text
    found = forbidden.search(text)
    if found is not None:
        raise ValueError(f"must not contain U+{ord(found[0]):04X}, which is at character {found.start() + 1}")
    return text
