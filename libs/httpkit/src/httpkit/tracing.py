"""W3C Trace Context: where a request stands in a trace. It is passed on and shown to nobody."""

import re
from typing import Final

from aiohttp import web

TRACEPARENT: Final = "traceparent"

_FORM: Final = re.compile(
    "(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<rest>-[!-~]*+)?"
)
_LONGEST: Final = 256


def traceparent_of(request: web.Request) -> str | None:
    """Return the `traceparent` of a request; None if there is none, or none that is valid: it is no fault."""
    given = request.headers.getall(TRACEPARENT, [])
    if len(given) != 1 or len(given[0]) > _LONGEST:
        return None
    found = _FORM.fullmatch(given[0])
    # Later versions may append fields; the first has none.
    if found is None or (found["version"] == "00" and found["rest"] is not None):
        return None
    return given[0]
