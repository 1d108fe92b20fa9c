"""Messages are as the OpenAPI document describes them."""

import pytest
from pydantic import TypeAdapter

from domain.webhooks.message import MESSAGE_TYPES, full_body, thin_body
from webhooks.openapi import WEBHOOKS
from webhooks.openapi.message_models import MESSAGES
from webhooks.openapi.samples import CHANGES


@pytest.mark.parametrize("type_", MESSAGE_TYPES)
def test_a_message_has_every_described_member_and_no_other(type_: str) -> None:
    adapter: TypeAdapter[object] = TypeAdapter(MESSAGES[type_])
    for body in (full_body(CHANGES[type_]), thin_body(CHANGES[type_])):
        assert body["type"] == type_
        assert adapter.validate_python(body) == body  # it drops what is not described


def test_each_type_is_described_once() -> None:
    assert [message.type for message in WEBHOOKS] == list(MESSAGE_TYPES)
    assert len({message.name for message in WEBHOOKS}) == len(MESSAGE_TYPES)
