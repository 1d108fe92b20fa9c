"""Parsing of header fields: lists, parameters and quoted strings (RFC 9110, 5.6).

Scanned by hand, so that each character is read a fixed number of times, whatever the field contains. No more
than `LONGEST_FIELD` characters are read: real clients send far fewer.
"""

import re
from collections.abc import Iterable
from typing import Final

LONGEST_FIELD: Final = 2_000
BLANKS: Final = " \t"

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def joined(lines: Iterable[str]) -> str | None:
    """Join the lines of a list field; None if they are longer together than `LONGEST_FIELD`."""
    text = ",".join(lines)
    return text if len(text) <= LONGEST_FIELD else None


def split(text: str, separator: str) -> list[str]:
    """Split at separators outside quoted strings; an unclosed quote is an ordinary character."""
    if '"' not in text:
        return text.split(separator)
    parts, begin, at, may_quote = list[str](), 0, 0, True
    while at < len(text):
        end = 0
        if text[at] == separator:
            parts.append(text[begin:at])
            begin = at + 1
        elif text[at] == '"' and may_quote:
            end = _end_of_quoted(text, at)
            may_quote = end > 0  # after an unclosed quote, no later one is closed
        at = end or at + 1
    parts.append(text[begin:])
    return parts


def is_token(text: str) -> bool:
    """Return whether a string is a token, as names and most values are."""
    return _TOKEN.fullmatch(text) is not None


def value_of(text: str) -> str | None:
    """Return the value of a token or quoted string; None if the text is neither."""
    if not text.startswith('"'):
        return text if is_token(text) else None
    if _end_of_quoted(text, 0) != len(text):
        return None
    return "".join(_unescaped(text[1:-1]))


def _end_of_quoted(text: str, begin: int) -> int:
    """Return the index after the quoted string that begins at `begin`; 0 if it is not closed."""
    at = begin + 1
    while at < len(text):
        if text[at] == '"':
            return at + 1
        at += 2 if text[at] == "\\" else 1
    return 0


def _unescaped(text: str) -> Iterable[str]:
    characters = iter(text)
    for character in characters:
        yield next(characters, "") if character == "\\" else character
