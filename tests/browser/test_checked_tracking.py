"""Every tracking page in every language: no checker finds anything, it fits 320 px and asks no one else."""

from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.browser.inspection import inspected
from tests.browser.scenes import tracking_scenes
from tests.support.api import Api

pytestmark = [
    pytest.mark.stack,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="session"),
]


async def test_checkers_find_nothing_on_the_tracking_pages(
    browser: Browser, url: str, admin: Api, driver: Api, tmp_path: Path
) -> None:
    faults = await inspected(browser, url, await tracking_scenes(admin, driver), tmp_path)
    assert "\n".join(faults) == ""
