"""One browser for all tests of the pages, and the API beside it. All of them share one event loop."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support.api import Api, open_api
from tests.support.browser.chromium import open_browser
from tests.support.stack import StackAddresses


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def url(stack: StackAddresses) -> str:
    """Give the address of Waybill, as people have it."""
    return stack.gateway_url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def nobody(url: str) -> AsyncIterator[Api]:
    async with open_api(url) as api:
        yield api


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def admin(nobody: Api) -> Api:
    return nobody.by(await nobody.log_in("admin_user"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shipper(nobody: Api) -> Api:
    """Give the client whose shipments `shipment_body` makes."""
    return nobody.by(await nobody.log_in("client_user_001"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def driver(nobody: Api) -> Api:
    return nobody.by(await nobody.log_in("driver_user_001"))
