"""What the tests of webhooks share: a receiver, the collections, and the management routes."""

from collections.abc import AsyncIterator

import pytest

from storage.mongo.database import Database
from tests.integration.webhooks.managing import Management, managing
from tests.support.receiving.outbox import Outbox
from tests.support.receiving.receiver import Receiver, receiver


@pytest.fixture
def outbox(spare_database: Database) -> Outbox:
    return Outbox(spare_database)


@pytest.fixture
async def hooks() -> AsyncIterator[Receiver]:
    async with receiver() as server:
        yield server


@pytest.fixture
async def management(spare_database: Database) -> AsyncIterator[Management]:
    async with managing(spare_database) as management:
        yield management
