from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer

from tests.unit.ingest_api.doubles import Ingest


@pytest.fixture
async def ingest() -> AsyncIterator[Ingest]:
    """Yield the service on loopback."""
    ingest = Ingest()
    async with TestClient(TestServer(ingest.app())) as client:
        ingest.client = client
        yield ingest
