"""A receiver and the collections of webhooks, for the tests of sending."""

from collections.abc import AsyncIterator

import pytest

from storage.mongo.database import Database
from tests.support.receiving.outbox import Outbox
from tests.support.receiving.receiver import Receiver, receiver


@pytest.fixture
def outbox(spare_database: Database) -> Outbox:
    return Outbox(spare_database)


@pytest.fixture
async def hooks() -> AsyncIterator[Receiver]:
    async with receiver() as server:
        yield server
