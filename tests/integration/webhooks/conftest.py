"""The management routes, on databases that tests share."""

from collections.abc import AsyncIterator

import pytest

from storage.mongo.database import Database
from tests.integration.webhooks.managing import Management, managing


@pytest.fixture
async def management(spare_database: Database) -> AsyncIterator[Management]:
    async with managing(spare_database) as management:
        yield management
