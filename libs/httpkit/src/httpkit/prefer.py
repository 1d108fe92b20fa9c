"""What a client would like, and the server may grant: the `Prefer` header (RFC 7240)."""

import re
from collections.abc import Mapping
from typing import Final

from aiohttp import web

PREFER: Final = "Prefer"
PREFERENCE_APPLIED: Final = "Preference-Applied"
LONGEST_WAIT_S: Final = 30

# Possessive throughout (`*+`): nothing a client sends makes the matcher try again.
_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_BLANK: Final = r"[ \t]*+"
_WORD: Final = rf'(?:{_NAME}|"(?:[^"\\]|\\.)*+")'
_PARAMETERS: Final = rf"(?:{_BLANK};{_BLANK}(?:{_NAME}(?:{_BLANK}={_BLANK}{_WORD})?+)?+)*+"
_PREFERENCE: Final = re.compile(
    rf"(?P<name>{_NAME})(?:{_BLANK}={_BLANK}(?P<value>{_WORD}))?+{_PARAMETERS}", re.ASCII
)
_ELEMENT: Final = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*+"|")++')
_ESCAPE: Final = re.compile(r"\\(.)")
_SECONDS: Final = re.compile(r"[0-9]{1,2}")
_LONGEST_LINE: Final = 1000


def preferences(request: web.Request) -> Mapping[str, str | None]:
    """Return what a request prefers, by the name in lower case; None where a preference has no value.

    What cannot be read is passed over, as is a preference that is given again: the first one counts.
    """
    found: dict[str, str | None] = {}
    for line in request.headers.getall(PREFER, []):
        if len(line) > _LONGEST_LINE:
            continue
        for element in _ELEMENT.findall(line):
            preference = _PREFERENCE.fullmatch(element.strip(" \t"))
            if preference is not None:
                found.setdefault(preference["name"].lower(), _unquoted(preference["value"]))
    return found


def preferred_wait_s(request: web.Request) -> int | None:
    """Return for how many seconds the client would wait for an outcome, None where it does not say.

    A wait of more than `LONGEST_WAIT_S` seconds, or of no whole number of them, is not granted.
    """
    text = preferences(request).get("wait")
    if text is None or _SECONDS.fullmatch(text) is None:
        return None
    wait_s = int(text)
    return wait_s if wait_s <= LONGEST_WAIT_S else None


def _unquoted(value: str | None) -> str | None:
    """Take the quotes off; RFC 7240 tells an empty value from none as little as we do."""
    if value is None:
        return None
    return (_ESCAPE.sub(r"\1", value[1:-1]) if value.startswith('"') else value) or None
