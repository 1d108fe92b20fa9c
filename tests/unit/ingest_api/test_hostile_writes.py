"""Writes whose head is made to hold ingest-api up."""

from typing import Any

import pytest

from tests.support.hostile import LARGEST_TARGET, hostile, quick
from tests.unit.ingest_api.bodies import shipment_body
from tests.unit.ingest_api.doubles import Ingest


@pytest.mark.parametrize("name", ["Idempotency_Key", "Prefer", "traceparent", "If_Match"])
async def test_no_field_of_a_creation_holds_a_process_up(name: str, ingest: Ingest) -> None:
    for text in hostile(LARGEST_TARGET):
        with quick(text[:60]):
            fields: dict[str, Any] = {name: text}
            reply = await ingest.post("/shipments", shipment_body(), **fields)
            assert reply.status < 500
