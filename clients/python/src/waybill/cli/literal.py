"""Foreign text made safe for a terminal: nothing in it moves the cursor, colours, or reorders lines."""

import unicodedata
from typing import Final

# Control characters, halves of pairs, line and paragraph separators.
_UNFIT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def literal(text: str) -> str:
    """Return `text` with control characters escaped as in JSON; JSON stays JSON."""
    return "".join(_escaped(character) if _is_unfit(character) else character for character in text)


def _is_unfit(character: str) -> bool:
    return character in _TURNING or unicodedata.category(character) in _UNFIT


def _escaped(character: str) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character, f"\\u{ord(character):04x}")
