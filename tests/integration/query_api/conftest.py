"""The tests here share databases: all that they start ends with them."""

import pytest

from storage.mongo.database import Database


@pytest.fixture
def database(spare_database: Database) -> Database:
    return spare_database
