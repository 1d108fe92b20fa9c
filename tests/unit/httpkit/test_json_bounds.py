"""Hostile bodies are rejected before they are parsed."""

import json

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter

from httpkit.request.bodies import parse_json, parse_tree
from httpkit.request.json_bounds import MAX_MEMBERS, MAX_VALUES, has_too_many_values
from httpkit.response.errors import ApiError
from tests.support.hostile import quick

LARGEST = 2 * 1024 * 1024
TEXT = 'x, {"y": [z]}, \\ '


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str


def repeated(pattern: bytes, begin: bytes = b"[", end: bytes = b"]") -> bytes:
    return begin + (pattern * (LARGEST // len(pattern)))[: LARGEST - 100].rstrip(b",") + end


HOSTILE = {
    "objects": repeated(b"{},"),
    "lists": repeated(b"[],"),
    "nested": repeated(b'{"a":{}},'),
    "numbers": repeated(b"1,"),
    "digits": repeated(b"1"),
    "nines": repeated(b"9999999999999999999,"),
    "texts": repeated(b'"",'),
    "text": repeated(b"x", b'{"a":"', b'"}'),
    "quotes": repeated(b'\\"', b'{"a":"', b'"}'),
    "colons": repeated(b'\\":', b'{"a":"', b'"}'),
    "commas": repeated(b",", b'{"a":"', b'"}'),
    "brackets": repeated(b"[", b'{"a":"', b'"}'),
    "blanks": repeated(b" ", b'{"a"', b":0}"),
    "open": repeated(b"["),
    "open objects": repeated(b'{"a":'),
    "unclosed": repeated(b'""'),
    "escapes": repeated(b"\\", b'"', b""),
    "names": b"{" + b",".join(b'"a%d":0' % index for index in range(180_000)) + b"}",
    "not a number": repeated(b"NaN,"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_body_takes_bounded_time(name: str) -> None:
    with quick(name):
        for read in (parse_tree, lambda body: parse_json(body, TypeAdapter(Item))):
            try:
                read(HOSTILE[name])
            except ApiError as refused:
                assert refused.status == 400  # noqa: PT017  # some are JSON, and plain values may be anything


@pytest.mark.parametrize("count", [1, MAX_VALUES // 2, MAX_VALUES - 1])
def test_punctuation_inside_strings_does_not_count(count: int) -> None:
    assert not has_too_many_values(json.dumps([TEXT] * count).encode())


@pytest.mark.parametrize("value", ["", TEXT, 0, [], {}, {"a": 0}])
def test_body_with_too_many_values_is_rejected(value: object) -> None:
    assert has_too_many_values(json.dumps([value] * (MAX_VALUES + 1)).encode())


def test_object_with_too_many_members_is_rejected() -> None:
    fitting, too_many = ({f"k{index}": "x" * 50 for index in range(MAX_MEMBERS + more)} for more in (0, 1))
    assert parse_tree(json.dumps({"a": [fitting]}).encode()) == {"a": [fitting]}
    with pytest.raises(ApiError, match="100 members"):
        parse_tree(json.dumps({"a": [too_many]}).encode())
    with pytest.raises(ApiError, match="100 members"):
        parse_json(json.dumps(too_many).encode(), TypeAdapter(Item))


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a":0,"a":0}', b'{"a":0} x', b'"\xff"', b'"\\ud800"', b"[" * 900]
)
def test_plain_values_are_read_as_strictly_as_models(body: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        parse_tree(body)
    assert refused.value.code == "INVALID_JSON"
