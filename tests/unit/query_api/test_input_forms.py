"""Faults of strings are reported in words: no message contains a regular expression."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import TypeAdapter

from httpkit.request.bodies import parse_json
from httpkit.response.errors import ApiError
from query_api.schemas.bodies import DISCARD, NEW_USER, QUARANTINE, RESUME
from tests.unit.query_api.conftest import Api

USER = {"username": "x", "password": "blue-truck-seven", "role": "client", "client_id": "c"}


@pytest.mark.parametrize(
    ("adapter", "body"),
    [
        (NEW_USER, USER | {"username": "a/b"}),
        (NEW_USER, USER | {"client_id": "a b"}),
        (NEW_USER, USER | {"role": "producer", "client_id": None, "allowed_sources": ["\x00"]}),
        (DISCARD, {"reason": " "}),
        (RESUME, {"reason": "\n"}),
        (QUARANTINE, {"reason": "\t"}),
    ],
)
def test_invalid_body_is_rejected_in_words(adapter: TypeAdapter[Any], body: Mapping[str, Any]) -> None:
    with pytest.raises(ApiError) as refused:
        parse_json(TypeAdapter(dict[str, Any]).dump_json(dict(body)), adapter)
    assert refused.value.details
    assert not [each.message for each in refused.value.details if "^" in each.message or "[" in each.message]


@pytest.mark.parametrize(
    "path",
    [
        "/shipments?tracking_number=99M-*",
        "/dead-letters?tracking_number=x",
        "/dead-letters?reason=A",
        "/shipments?created_from=yesterday",
        "/shipments?status=lost",
    ],
)
async def test_invalid_query_is_rejected_in_words(api: Api, path: str) -> None:
    response = await api.get(path)
    messages = [each["message"] for each in (await response.json())["details"]]
    assert response.status == 400
    assert messages
    assert not [each for each in messages if "^" in each or "[" in each]
