"""Hostile heads of writes to ingest-api."""

from typing import Any

import pytest

from tests.support.hostile import LARGEST_TARGET, hostile, quick
from tests.unit.ingest_api.bodies import shipment_body
from tests.unit.ingest_api.doubles import Ingest


@pytest.mark.parametrize("name", ["Idempotency_Key", "Prefer", "traceparent", "If_Match"])
async def test_hostile_creation_takes_bounded_time(name: str, ingest: Ingest) -> None:
    for text in hostile(LARGEST_TARGET):
        with quick(text[:60]):
            fields: dict[str, Any] = {name: text}
            response = await ingest.post("/shipments", shipment_body(), **fields)
            assert response.status < 500
