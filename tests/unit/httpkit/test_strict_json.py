"""Ambiguous JSON is rejected with its position; all other JSON is accepted."""

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from httpkit.request.bodies import parse_json
from httpkit.request.strict_json import ambiguity_of, is_plain
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError

ANYTHING: TypeAdapter[Any] = TypeAdapter(Any)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | FLOATS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
)


def refusal(body: bytes) -> str:
    with pytest.raises(ApiError) as refused:
        parse_json(body, ANYTHING)
    assert (refused.value.code, refused.value.status) == (ErrorCode.INVALID_JSON, 400)
    return refused.value.message


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"a":1,"a":2}', '"a" is given twice in the object that ends at line 1 column 13'),
        (b'{"a":1,\n"\\u0061":2}', '"a" is given twice in the object that ends at line 2 column 11'),
        (b'{"a":"}\\"","b":[{"c":1 ,"c" : 2}]}', '"c" is given twice in the object that ends at line 1 col'),
        (b"9" * 5000, "too many digits"),
        (b"[" * 1000, "nested too deeply at line 1 column"),
        (b'{"a":"\\ud800"}', "half of a surrogate pair"),
        (b'{"a":"\xff"}', "not UTF-8 at line 1 column 7"),
        (b'{"a":"\0"}', "control character"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"{} x", "something follows the end of the document at line 1 column 4"),
        (b"\xff\xfe{\0}\0", "line 1 column 1"),
        (b"", "empty"),
        (b" \n", "empty"),
    ],
)  # fmt: skip
def test_syntax_error_is_reported_with_its_position(body: bytes, said: str) -> None:
    assert said in refusal(body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"a":NaN}', "NaN is not JSON at line 1 column 6"),
        (b'{"a":"NaN","b":-Infinity}', "Infinity is not JSON at line 1 column 17"),
        (b'{"a":123456789012345678901}', "an integer of more than 19 digits at line 1 column 6"),
        (b'{"a":-123456789012345678901}', "an integer of more than 19 digits at line 1 column 7"),
        (b"1417776317066907439150008063608377835337", "an integer of more than 19 digits at line 1 column 1"),
        (
            b'[0.8802484593686274953493096E-43,"1",97929478222754631341136]',
            "an integer of more than 19 digits at line 1 column 38",
        ),
    ],
)
def test_numbers_that_json_does_not_have_are_found(body: bytes, said: str) -> None:
    assert ambiguity_of(body) == said


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"NaN","b":"\\":","c":" \\":\\":"}',
        b'{"a":1.12345678901234567890123,"b":1e5,"c":1234567890123456789,"d":"123456789012345678901234"}',
        b"[12345678901234567890123.5,12345678901234567890123e5,-1.5e-12345678901234567890123]",
        b'{"a":{"x":1},"b":{"x":1},"c":[{"x":1},{"x":1}]}',
        b'{"a" : 1, "b"\n:\t2}',
        b"-0.0",
        b'{"a":"\\ud83d\\ude9a"}',
    ],
)
def test_json_that_only_looks_ambiguous_is_accepted(body: bytes) -> None:
    assert parse_json(body, ANYTHING) == json.loads(body)


@given(VALUES, st.booleans())
def test_all_other_json_is_accepted(value: object, spaced: bool) -> None:  # noqa: FBT001  # drawn
    body = json.dumps(value, indent=1 if spaced else None, ensure_ascii=spaced).encode()
    assert parse_json(body, ANYTHING) == value


@given(st.lists(st.tuples(st.sampled_from(["a", "b", '"', ":", '":']), VALUES), max_size=5))
def test_duplicate_name_is_always_rejected(members: list[tuple[str, object]]) -> None:
    body = (
        "{" + ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in members) + "}"
    ).encode()
    assert (ambiguity_of(body) is not None) == (len(dict(members)) != len(members))
    if len(dict(members)) != len(members):
        assert not is_plain(body, ANYTHING.validate_json(body))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_rejected(body: bytes) -> None:
    with contextlib.suppress(ApiError):
        parse_json(body, ANYTHING)


@pytest.mark.parametrize("part", [b"{},", b"1,", b'"",', b"[[[]]],", b"-1.5e3,", b'{"a":1},'])
def test_check_takes_bounded_time(part: bytes) -> None:
    body = b"[" + part * ((2 << 20) // len(part)) + b"NaN]"
    started = time.process_time()
    assert "NaN" in (ambiguity_of(body) or "")
    assert time.process_time() - started < 4
