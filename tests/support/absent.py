"""Kinds of text in the place of a tracking number that are no shipment's, and how answers are compared."""

import re
from typing import Final
from urllib.parse import quote

from tests.support.builders import NUMBER, number

MISSING: Final = str(number(2))
WRONG_CHECK_CHARACTER: Final = NUMBER[:-1] + ("0" if NUMBER[-1] != "0" else "1")
NOT_THERE: Final = {
    "unknown": MISSING,
    "wrong check character": WRONG_CHECK_CHARACTER,
    "unknown, in lower case": MISSING.lower(),
    "another prefix": "88M-" + MISSING[4:],
    "too short": MISSING[:-1],
    "too long": MISSING + "0",
    "very long": "9" * 4_000,
    "nothing": "",
    "a slash": f"{NUMBER}/",
    "a path below": f"{NUMBER}/events",
    "an encoded slash": quote(f"{NUMBER}/", safe=""),
    "not ASCII": quote("\uff19\uff19M-000000000000"),
    "not UTF-8": "%FF%FE",
    "a zero byte": "%00",
    "a line end": f"{NUMBER}%0A",
    "an operator of the store": quote('{"$gt":""}'),
    "a number with blanks": f"%20{NUMBER}%20",
}
"""Kinds of nothing, each as a part of a URL. There must be no shipment `MISSING`."""
DIFFERING: Final = frozenset({"date", "x-request-id", "ratelimit"})
"""Headers that differ between any two responses: the time, the id, and the remaining budget."""


def without_time(body: str) -> str:
    """Return the body of an error without its timestamp."""
    return re.sub(r'"timestamp":"[^"]*"', '"timestamp":""', body)
