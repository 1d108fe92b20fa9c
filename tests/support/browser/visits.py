"""A person at a browser: what their pages asked for and complained of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request, ViewportSize

from tests.support.waiting import wait_for

_RELOADED: Final = "performance.getEntriesByType('navigation')[0].type === 'reload'"

LOCALES: Final = {"es": "es-MX", "en": "en-US", "pt": "pt-BR"}
ZONE: Final = "America/Mexico_City"
PHONE: Final = ViewportSize(width=320, height=640)
TABLET: Final = ViewportSize(width=768, height=1024)
DESKTOP: Final = ViewportSize(width=1280, height=900)


@dataclass
class Visitor:
    """A browser context with its cookies, and the faults of all its pages.

    Attributes:
        url: where Waybill is.
        faults: requests to other hosts, and errors in the browser's console.
    """

    url: str
    context: BrowserContext
    faults: list[str] = field(default_factory=list)

    async def open(self, path: str) -> Page:
        """Open a path in a page of its own."""
        page = await self.context.new_page()
        await page.goto(f"{self.url}{path}")
        return page

    def watch(self) -> None:
        """Note faults from now on."""
        self.context.on("request", self._note_request)
        self.context.on("console", self._note_message)
        self.context.on("weberror", lambda raised: self.faults.append(f"script: {raised.error}"))

    def _note_request(self, request: Request) -> None:
        asked, ours = urlsplit(request.url), urlsplit(self.url)
        if (asked.scheme, asked.netloc) != (ours.scheme, ours.netloc):
            self.faults.append(f"request to another host: {request.url}")

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _is_status(message):
            self.faults.append(f"console: {message.text}")


def _is_status(message: ConsoleMessage) -> bool:
    """Say whether the browser only reports that a response had a status of 400 or more."""
    return message.text.startswith("Failed to load resource: the server responded with a status of")


@asynccontextmanager
async def visitor(
    browser: Browser,
    url: str,
    *,
    language: str = "en",
    viewport: ViewportSize = DESKTOP,
    is_dark: bool = False,
    has_scripts: bool = True,
) -> AsyncIterator[Visitor]:
    """Give a person their own cookies, language, screen and taste; at the end their pages had no faults."""
    context = await browser.new_context(
        locale=LOCALES[language],
        timezone_id=ZONE,
        viewport=viewport,
        color_scheme="dark" if is_dark else "light",
        java_script_enabled=has_scripts,
        reduced_motion="reduce",
    )
    try:
        someone = Visitor(url, context)
        someone.watch()
        yield someone
        assert someone.faults == []
    finally:
        with suppress(Error):
            await context.close()


async def sign_in(someone: Visitor, username: str, password: str) -> Page:
    """Log in at the console's form."""
    page = await someone.open("/console/login")
    await page.fill("[name=username]", username)
    await page.fill("[name=password]", password)
    await page.press("[name=password]", "Enter")
    await page.wait_for_url(lambda url: "/console/login" not in url)
    return page


async def settled(page: Page, path: str) -> None:
    """Wait until a page is there: that of a link is loaded again once its token is exchanged for a cookie."""

    async def is_reloaded() -> bool:
        try:
            return bool(await page.evaluate(_RELOADED))
        except Error:  # just now
            return False

    if "#" in path:  # `page.wait_for_function` polls by `eval`, which the page's policy forbids
        await wait_for(is_reloaded, what=f"{page.url} loaded again")
    await page.wait_for_load_state()
