"""What a client would like, and the server may grant: the `Prefer` header (RFC 7240)."""

import re
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from httpkit.request.header_fields import BLANKS, is_token, joined, split, word_of

PREFER: Final = "Prefer"
PREFERENCE_APPLIED: Final = "Preference-Applied"
LONGEST_WAIT_S: Final = 30

_SECONDS: Final = re.compile(r"[0-9]{1,2}")


def preferences(request: web.Request) -> Mapping[str, str | None]:
    """Return what a request prefers, by the name in lower case; None where a preference has no value.

    What cannot be read is passed over, as is a preference that is given again: the first one counts. So is
    all of it where there is more than `LONGEST_FIELD` characters.
    """
    found: dict[str, str | None] = {}
    for element in split(joined(request.headers.getall(PREFER, ())) or "", ","):
        preference = _preference(element)
        if preference is not None:
            name, value = preference
            found.setdefault(name.lower(), value)
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


def _preference(element: str) -> tuple[str, str | None] | None:
    """Return a preference; its parameters mean nothing to us, but must be such."""
    pairs = [_pair(part) for part in split(element.strip(BLANKS), ";")]
    first, *parameters = pairs
    if first is None or any(pair is None for pair in parameters):
        return None
    name, value = first
    return (name, value or None) if name else None


def _pair(text: str) -> tuple[str, str | None] | None:
    """Read a name, or a name and a value; RFC 7240 tells an empty value from none as little as we do."""
    name, equals, value = (part.strip(BLANKS) for part in text.partition("="))
    if not name and not equals:
        return "", None
    word = word_of(value) if equals else ""
    return (name, word) if is_token(name) and word is not None else None
