"""Pictures of pages for the documentation: `make page-pictures`, beside a running `make run`."""

import argparse
import asyncio
from pathlib import Path
from typing import Final

from playwright.async_api import ViewportSize

from tests.browser.scenes import ADMIN, Scene, tracking_scenes
from tests.support.api import PASSWORD, open_api
from tests.support.browser.chromium import open_browser
from tests.support.browser.visits import DESKTOP, settled, sign_in, visitor

PICTURES: Final = Path(__file__).parents[2] / "docs/pictures"
HANDHELD: Final = ViewportSize(width=390, height=844)
SHOWN: Final = {
    "track-with-link": ("page-tracking-phone", HANDHELD, "es", False),
    "track-in-transit": ("page-tracking-desktop", DESKTOP, "en", False),
    "track-delivered": ("page-tracking-dark", HANDHELD, "pt", True),
    "console-overview": ("page-console-overview", DESKTOP, "en", False),
    "console-dead-letters": ("page-console-dead-letters", DESKTOP, "en", False),
    "console-shipments": ("page-console-shipments", DESKTOP, "es", True),
}


async def draw(url: str, directory: Path) -> None:
    """Take the pictures of a running stack in development."""
    async with open_api(url) as nobody, open_browser() as browser:
        admin = nobody.by(await nobody.log_in(ADMIN))
        driver = nobody.by(await nobody.log_in("driver_user_001"))
        scenes = [
            *await tracking_scenes(admin, driver),
            *(Scene(f"console-{name}", f"/console/{name}", ADMIN) for name in _CONSOLE),
        ]
        for scene in (scene for scene in scenes if scene.name in SHOWN):
            name, viewport, language, is_dark = SHOWN[scene.name]
            async with visitor(browser, url, language=language, viewport=viewport, is_dark=is_dark) as person:
                if scene.login is not None:
                    await sign_in(person, scene.login, PASSWORD)
                page = await person.open(scene.path)
                await settled(page, scene.path)
                await page.screenshot(path=directory / f"{name}.png")


_CONSOLE: Final = ("overview", "dead-letters", "shipments")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://localhost:8080")
    given = parser.parse_args()
    asyncio.run(draw(given.url, PICTURES))


if __name__ == "__main__":
    main()
