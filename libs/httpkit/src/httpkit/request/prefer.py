"""Preferences of a request: the `Prefer` header (RFC 7240)."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from aiohttp import web

from httpkit.request.header_fields import BLANKS, is_token, joined, split, value_of

PREFER: Final = "Prefer"
PREFERENCE_APPLIED: Final = "Preference-Applied"
LONGEST_WAIT_S: Final = 30

_SECONDS: Final = re.compile(r"[0-9]{1,2}")
_PARSED: Final = web.RequestKey("preferences", Mapping[str, str | None])


def preferences(request: web.Request) -> Mapping[str, str | None]:
    """Return the preferences of a request, by name in lower case; None for a preference without a value.

    Malformed preferences are ignored, and so are repetitions: the first one counts. A header of more than
    `LONGEST_FIELD` characters is ignored as a whole. It is parsed once per request.
    """
    parsed = request.get(_PARSED)
    if parsed is None:
        lines = request.headers.getall(PREFER, ())
        parsed = request[_PARSED] = _parse(lines) if lines else {}
    return parsed


def preferred_wait_s(request: web.Request) -> int | None:
    """Return the seconds that the client wants to wait for an outcome; None if it does not say.

    A wait of more than `LONGEST_WAIT_S` seconds, or of a fraction of seconds, is ignored.
    """
    text = preferences(request).get("wait")
    if text is None or _SECONDS.fullmatch(text) is None:
        return None
    wait_s = int(text)
    return wait_s if wait_s <= LONGEST_WAIT_S else None


def _parse(lines: Iterable[str]) -> Mapping[str, str | None]:
    found: dict[str, str | None] = {}
    for element in split(joined(lines) or "", ","):
        preference = _preference(element)
        if preference is not None:
            name, value = preference
            found.setdefault(name.lower(), value)
    return found


def _preference(element: str) -> tuple[str, str | None] | None:
    """Parse a preference; its parameters are ignored, but must be well formed."""
    pairs = [_pair(part) for part in split(element.strip(BLANKS), ";")]
    first, *parameters = pairs
    if first is None or any(pair is None for pair in parameters):
        return None
    name, value = first
    return (name, value or None) if name else None


def _pair(text: str) -> tuple[str, str | None] | None:
    """Parse a name, or a name and a value; an empty value equals none, as in RFC 7240."""
    name, equals, value = (part.strip(BLANKS) for part in text.partition("="))
    if not name and not equals:
        return "", None
    word = value_of(value) if equals else ""
    return (name, word) if is_token(name) and word is not None else None
