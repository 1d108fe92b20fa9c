"""Bounds of a JSON body: one with more values is rejected before it is parsed.

Two MiB hold 700,000 empty objects. A parser takes 0.1 s to read them and 0.6 s to list their faults, and the
process does nothing else meanwhile. The largest meaningful body, a batch of 1,000 events in every detail, has
11,000 values.
"""

import re
from itertools import islice
from typing import Final

MAX_VALUES: Final = 20_000
MAX_MEMBERS: Final = 100
"""Members of one object: each unknown one is a fault of its own."""

_MARKS: Final = (b",", b"{", b"[")
_STRING_OR_MARK: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[,{\[]', re.DOTALL)
_TOKENS_PER_VALUE: Final = 3
"""At most: the mark, the name and the value."""


class TooManyMembers(Exception):
    """An object has more members than `MAX_MEMBERS`."""


def has_too_many_values(body: bytes) -> bool:
    """Return whether a body has more than `MAX_VALUES` values.

    Each value but the first follows a comma or an opening bracket. Most bodies have too few of these even
    with those inside strings; in others the strings are skipped, as far as needed. The result for malformed
    JSON is undefined.
    """
    if len(body) <= MAX_VALUES or sum(map(body.count, _MARKS)) <= MAX_VALUES:
        return False
    tokens = [token[0][0] for token in islice(_STRING_OR_MARK.finditer(body), MAX_VALUES * _TOKENS_PER_VALUE)]
    return len(tokens) == MAX_VALUES * _TOKENS_PER_VALUE or len(tokens) - tokens.count(ord('"')) > MAX_VALUES


def members_of(value: object) -> int:
    """Count the members of all objects in plain values.

    Raises:
        TooManyMembers: one of them has too many.
    """
    if type(value) is dict:
        found = len(value)
        if found > MAX_MEMBERS:
            raise TooManyMembers
        for member in value.values():
            kind = type(member)  # most are strings and numbers: checking first saves half of the calls
            if kind is dict or kind is list:
                found += members_of(member)
        return found
    if type(value) is list:
        return sum(map(members_of, value))
    return 0
