"""How much may stand in a JSON body: what has more is refused before anything is made of it.

Two MiB hold 700,000 empty objects. To read them takes a parser 0.1 s, to say what is wrong with them 0.6 s,
and for so long a process does nothing else. The largest body that means something, a batch of 1,000 events in
every detail, has 11,000 values.
"""

import re
from itertools import islice
from typing import Final

MAX_VALUES: Final = 20_000
MAX_MEMBERS: Final = 100
"""Of one object: each that a model does not know is a fault of its own."""

_MARKS: Final = (b",", b"{", b"[")
_STRING_OR_MARK: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[,{\[]', re.DOTALL)
_TOKENS_PER_VALUE: Final = 3
"""At most: its mark, its name and itself."""


class Crowded(Exception):
    """An object has more than `MAX_MEMBERS`."""


def is_overfull(body: bytes) -> bool:
    """Say whether a body has more than `MAX_VALUES` values.

    Each value but the first stands behind a comma or an opening bracket. Most bodies have too few of these
    even with those inside of texts; in others the texts are passed over, as far as it takes to know. What is
    no JSON may be called overfull, or not.
    """
    if len(body) <= MAX_VALUES or sum(map(body.count, _MARKS)) <= MAX_VALUES:
        return False
    tokens = [token[0][0] for token in islice(_STRING_OR_MARK.finditer(body), MAX_VALUES * _TOKENS_PER_VALUE)]
    return len(tokens) == MAX_VALUES * _TOKENS_PER_VALUE or len(tokens) - tokens.count(ord('"')) > MAX_VALUES


def members_of(value: object) -> int:
    """Count the members of all objects in plain values.

    Raises:
        Crowded: one of them has too many.
    """
    if type(value) is dict:
        found = len(value)
        if found > MAX_MEMBERS:
            raise Crowded
        for member in value.values():
            kind = type(member)  # most are text and numbers: asking first spares half of the calls
            if kind is dict or kind is list:
                found += members_of(member)
        return found
    if type(value) is list:
        return sum(map(members_of, value))
    return 0
