"""Header fields taken apart: lists, parameters and quoted strings (RFC 9110, 5.6).

Scanned by hand: each character is looked at a fixed number of times, whatever stands in the field. No more
than `LONGEST_FIELD` characters are read, for what real clients send is far shorter.
"""

import re
from collections.abc import Iterable
from typing import Final

LONGEST_FIELD: Final = 2_000
BLANKS: Final = " \t"

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def joined(lines: Iterable[str]) -> str | None:
    """Return the lines of a list field as one; None if they are longer together than what is read."""
    text = ",".join(lines)
    return text if len(text) <= LONGEST_FIELD else None


def split(text: str, separator: str) -> list[str]:
    """Split at a separator that stands outside of quoted strings; a quote that nothing closes is no quote."""
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
            may_quote = end > 0  # where one is not closed, none behind it is
        at = end or at + 1
    parts.append(text[begin:])
    return parts


def is_token(text: str) -> bool:
    """Say whether a text is a token: what names and most values are."""
    return _TOKEN.fullmatch(text) is not None


def word_of(text: str) -> str | None:
    """Return what a token or a quoted string says; None if the text is neither."""
    if not text.startswith('"'):
        return text if is_token(text) else None
    if _end_of_quoted(text, 0) != len(text):
        return None
    return "".join(_unescaped(text[1:-1]))


def _end_of_quoted(text: str, begin: int) -> int:
    """Return the index behind the quoted string that begins at `begin`; 0 if nothing closes it."""
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
