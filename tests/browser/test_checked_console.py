"""Every page of the console in every language: see `test_checked_tracking`, which runs beside it."""

from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.browser.inspection import inspected
from tests.browser.scenes import console_scenes
from tests.support.api import Api
from tests.support.stack import StackAddresses

pytestmark = [
    pytest.mark.stack,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="session"),
]


async def test_checkers_find_nothing_in_the_console(
    browser: Browser, stack: StackAddresses, admin: Api, driver: Api, tmp_path: Path
) -> None:
    scenes = await console_scenes(admin, driver, stack)
    faults = await inspected(browser, stack.gateway_url, scenes, tmp_path)
    assert "\n".join(faults) == ""
