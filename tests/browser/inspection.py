"""Inspection of pages in every language: by axe and the Nu checker, at 320 px, for requests to others."""

import os
from pathlib import Path

from playwright.async_api import Browser, Page

from tests.browser.scenes import Scene
from tests.support.api import PASSWORD
from tests.support.browser.checkers import accessibility_faults, html_faults, overflowing
from tests.support.browser.visits import DESKTOP, LOCALES, PHONE, Visitor, settled, sign_in, visitor


class Inspection:
    """The faults of all pages that were looked at, and their HTML."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.html: dict[str, str] = {}

    async def look_at(self, someone: Visitor, page: Page, scene: Scene, language: str) -> None:
        """Look at a scene at two widths, in a page that is open, and note what is wrong with it."""
        await page.set_viewport_size(DESKTOP)
        await page.goto(f"{someone.url}{scene.path}")
        await settled(page, scene.path)
        where = f"{scene.name} ({language})"
        spoken = {"Accept-Language": LOCALES[language]}
        response = await someone.context.request.get(page.url, headers=spoken)
        self._note(where, [f"status {response.status}"] if response.status != scene.status else [])
        self._note(where, _header_faults(response.headers, language))
        self.html[where] = await response.text()
        self._note(where, await accessibility_faults(page))
        await page.set_viewport_size(PHONE)
        self._note(where, [f"wider than 320 px: {each}" for each in await overflowing(page)])

    def _note(self, where: str, faults: list[str]) -> None:
        self.faults += [f"{where}: {fault}" for fault in faults]


def _header_faults(headers: dict[str, str], language: str) -> list[str]:
    tag = LOCALES[language] if language != "en" else "en"
    wanted = {
        "cache-control": ("no-store",),
        "content-language": (tag,),
        "referrer-policy": ("no-referrer", "same-origin"),
    }
    faults = [
        f"{name} is {headers.get(name)}" for name, values in wanted.items() if headers.get(name) not in values
    ]
    policy = headers.get("content-security-policy", "default-src *")
    return faults + [
        f"policy allows {each}" for each in ("unsafe-inline", "unsafe-eval", "*") if each in policy
    ]


async def _page_of(someone: Visitor, login: str | None) -> Page:
    return await (someone.context.new_page() if login is None else sign_in(someone, login, PASSWORD))


async def inspected(browser: Browser, url: str, scenes: list[Scene], directory: Path) -> list[str]:
    """Return what is wrong with some pages, in each language; `directory` is for their HTML, and empty."""
    inspection = Inspection()
    for language in LOCALES:
        for login in dict.fromkeys(scene.login for scene in scenes):
            async with visitor(
                browser, url, language=language, viewport=DESKTOP, is_dark=language == "pt"
            ) as someone:
                page = await _page_of(someone, login)
                for scene in scenes:
                    if scene.login == login:
                        await inspection.look_at(someone, page, scene, language)
    return inspection.faults + html_faults(inspection.html, directory, os.environ)
