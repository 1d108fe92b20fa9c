"""Callers of the whole stack: the seeded users, and clients of a test's own."""

import uuid
from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from tests.e2e.tokens import signed
from tests.support.api import Api, open_api
from tests.support.stack import StackAddresses

USERS = ("admin_user", "client_user_001", "client_user_002", "driver_user_001")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def tokens(stack: StackAddresses) -> Mapping[str, str]:
    """Log every seeded user in, once: a password takes a quarter of a second."""
    async with open_api(stack.gateway_url) as api:
        return {user: await api.log_in(user) for user in USERS}


@pytest.fixture
async def nobody(stack: StackAddresses) -> AsyncIterator[Api]:
    """Give a caller without a token."""
    async with open_api(stack.gateway_url) as api:
        yield api


@pytest.fixture
def admin(nobody: Api, tokens: Mapping[str, str]) -> Api:
    return nobody.by(tokens["admin_user"])


@pytest.fixture
def client(nobody: Api, tokens: Mapping[str, str]) -> Api:
    """Give the user of client_001."""
    return nobody.by(tokens["client_user_001"])


@pytest.fixture
def other_client(nobody: Api, tokens: Mapping[str, str]) -> Api:
    """Give the user of client_002."""
    return nobody.by(tokens["client_user_002"])


@pytest.fixture
def driver(nobody: Api, tokens: Mapping[str, str]) -> Api:
    return nobody.by(tokens["driver_user_001"])


@pytest.fixture
def new_client_id() -> str:
    """Give a client that no other test knows, so that its lists can be counted."""
    return f"client_{uuid.uuid4().hex[:12]}"


@pytest.fixture
def new_client(nobody: Api, stack: StackAddresses, new_client_id: str) -> Api:
    """Give a user of `new_client_id`."""
    return nobody.by(signed(stack.jwt_secret, sub="somebody", role="client", client_id=new_client_id))


@pytest.fixture
def callers(nobody: Api, tokens: Mapping[str, str], stack: StackAddresses) -> Mapping[str, Api]:
    """Give a caller for each column of the table of roles."""
    other_driver = signed(stack.jwt_secret, sub="driver_user_002", role="producer")
    return {
        "admin": nobody.by(tokens["admin_user"]),
        "owner": nobody.by(tokens["client_user_001"]),
        "stranger": nobody.by(tokens["client_user_002"]),
        "sender": nobody.by(tokens["driver_user_001"]),
        "other driver": nobody.by(other_driver),
        "nobody": nobody,
    }
