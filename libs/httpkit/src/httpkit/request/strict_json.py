"""Ambiguous JSON, which two parsers would read differently: duplicate names, NaN, integers without a bound.

pydantic reads a body once, at full speed, and rejects malformed JSON. But of two members of one name it
silently takes the last, and it accepts NaN and Infinity. A second parse with a hook for repeated names would
find them; for most bodies it is enough to count the members (`is_plain`). Of a single event of 166 bytes the
hook takes 4.2 µs; a plain parse and counting 1.5; validation 3.3.
"""

import json
import re
from itertools import count, islice
from typing import Final, NoReturn

from pydantic_core import from_json

from httpkit.request.json_bounds import TooManyMembers, members_of

MAX_INTEGER_DIGITS: Final = 19
BOM: Final = b"\xef\xbb\xbf"

_STRING: Final = rb'"(?:[^"\\]++|\\.)*+"'
_DETACHED_COLON: Final = re.compile(rb'"[ \t\r\n]+:')
# Possessive quantifiers: no backtracking, so the time is linear in the length.
_OBJECT_END: Final = re.compile(rb'(?:[^"}]++|' + _STRING + rb")*+}", re.DOTALL)
# A search for 20 digits in a row takes 30 ms for 2 MiB; for 20 nines among digits that are all nines, 3.
_NINES: Final = bytes(ord("9") if chr(byte).isdecimal() and byte < ord(":") else byte for byte in range(256))
_MANY_DIGITS: Final = b"9" * (MAX_INTEGER_DIGITS + 1)
# Python before 3.11.5 does not undo what a possessive group has read when its last round fails (gh-106052):
# here no round reads anything before it fails.
_STRING_OR_ODD_NUMBER: Final = re.compile(
    _STRING + rb"|(?P<constant>NaN|Infinity)|(?<![-+.0-9eE])-?+(?P<integer>[0-9]{20,}+)(?![.eE])", re.DOTALL
)
_PARSER_MESSAGES: Final = {
    "EOF while parsing a value": "the end came where a value was expected",
    "invalid unicode code point": "bytes that are not UTF-8",
    "lone leading surrogate in hex escape": "half of a surrogate pair",
    "number out of range": "a number with too many digits",
    "recursion limit exceeded": "nested too deeply",
    "trailing characters": "something follows the end of the document",
    "unexpected end of hex escape": "half of a surrogate pair, or an unfinished escape",
}


def is_plain(body: bytes, value: object) -> bool:
    """Return whether a body, read as `value`, certainly has no duplicate names; False: check closer.

    Each member has a quote and a colon, so a body has at most as many members as it has `":`, if no blank is
    between the two. If `value` has as many, none was lost. `value` must be the plain dicts and lists that a
    parser returns: a model may add members. NaN and long integers are left to the model: it must bound its
    numbers (`allow_inf_nan=False`, `le`, `ge`).

    Raises:
        TooManyMembers: an object has more members than `json_bounds` allows.
    """
    return body.count(b'":') == members_of(value) and _DETACHED_COLON.search(body) is None


def ambiguity_of(body: bytes) -> str | None:
    """Return what is ambiguous in a well-formed JSON body; None: nothing.

    The time is linear: at worst, for as many objects as `json_bounds` allows, ten milliseconds.
    """
    number = invalid_number_of(body)
    if number is not None:
        return number
    try:
        if is_plain(body, from_json(body)):
            return None
    except TooManyMembers:  # left to the closer check, whose time is bounded too
        pass
    try:
        _require_unique_names(body)
    except _Repeated as repeated:
        end = next(islice(_OBJECT_END.finditer(body), repeated.index, None)).end()
        return f"{json.dumps(repeated.name)} is given twice in the object that ends{place_of(body, end - 1)}"
    return None


def invalid_number_of(body: bytes) -> str | None:
    """Return the number in a body that is not JSON, or that parsers read differently; None: none."""
    if not _is_suspect(body):
        return None
    odd = next((token for token in _STRING_OR_ODD_NUMBER.finditer(body) if token.lastgroup is not None), None)
    if odd is None:
        return None
    place = place_of(body, odd.start(odd.lastgroup or 0))
    if odd["constant"] is not None:
        return f"{odd['constant'].decode()} is not JSON{place}"
    return f"an integer of more than {MAX_INTEGER_DIGITS} digits{place}"


def syntax_error_of(body: bytes, parser_message: str) -> str:
    """Return the API's message for a parser's error."""
    if not body.strip():
        return "the body is empty"
    if body.startswith(BOM):
        return "the body begins with a byte order mark at line 1 column 1"
    text = parser_message.removeprefix("Invalid JSON: ")
    what, at, where = text.partition(" at line ")
    return f"{_PARSER_MESSAGES.get(what, what)}{at}{where}"


def place_of(body: bytes, offset: int) -> str:
    """Format the position of a byte as the parser does: lines and columns from 1, in bytes."""
    line = body.count(b"\n", 0, offset) + 1
    column = offset - body.rfind(b"\n", 0, offset)
    return f" at line {line} column {column}"


class _Repeated(Exception):
    """The `index`th object to end has a duplicate name."""

    def __init__(self, name: str, index: int) -> None:
        super().__init__(name)
        self.name = name
        self.index = index


def _is_suspect(body: bytes) -> bool:
    return b"NaN" in body or b"Infinity" in body or _MANY_DIGITS in body.translate(_NINES)


def _require_unique_names(body: bytes) -> None:
    ended = count()

    def check(members: list[tuple[str, object]]) -> None:
        index = next(ended)
        if len({name for name, _ in members}) != len(members):
            _raise_repeated(members, index)

    json.loads(body.decode(), object_pairs_hook=check)


def _raise_repeated(members: list[tuple[str, object]], index: int) -> NoReturn:
    seen: set[str] = set()
    for name, _ in members:
        if name in seen:
            raise _Repeated(name, index)
        seen.add(name)
    raise AssertionError("no name is repeated")
