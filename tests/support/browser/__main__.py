"""Pictures of a page, to look at: `python -m tests.support.browser URL DIRECTORY [--login USER]`.

One for each width, light and dark, in each language. The stack must run.
"""

import argparse
import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import ViewportSize

from tests.support.api import PASSWORD
from tests.support.browser.chromium import open_browser
from tests.support.browser.visits import LOCALES, sign_in, visitor

WIDTHS = (320, 768, 1280)


async def take(url: str, directory: Path, *, login: str | None) -> None:
    """Take the pictures of one page."""
    parts = urlsplit(url)
    site, path = f"{parts.scheme}://{parts.netloc}", url.removeprefix(f"{parts.scheme}://{parts.netloc}")
    async with open_browser() as browser:
        for language in LOCALES:
            for is_dark in (False, True):
                async with visitor(browser, site, language=language, is_dark=is_dark) as someone:
                    if login is not None:
                        await sign_in(someone, login, PASSWORD)
                    page = await someone.open(path)
                    for width in WIDTHS:
                        await page.set_viewport_size(ViewportSize(width=width, height=900))
                        name = f"{language}-{'dark' if is_dark else 'light'}-{width}.png"
                        await page.screenshot(path=directory / name, full_page=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="of the page, with a link's token behind # if it has one")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--login", help="a seeded user, for pages of the console")
    given = parser.parse_args()
    given.directory.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(given.url, given.directory, login=given.login))


if __name__ == "__main__":
    main()
