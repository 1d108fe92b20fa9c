"""Other people's checkers: axe for accessibility, the Nu checker for HTML."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page

from devstack.home.programs import find_java
from tests.support.node_tools import PACKAGES

_NU: Final = PACKAGES / "vnu-jar/build/dist/vnu.jar"
# Safari reads a list without bullets as no list, unless it is said to be one.
_INTENDED: Final = tuple(f"The “list” role is unnecessary for element “{name}”." for name in ("ol", "ul"))
_RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_OPTIONS: Final = json.dumps({"runOnly": _RULES, "resultTypes": ["violations"]})
_RUN: Final = f"axe.run(document, {_OPTIONS}).then(({{violations}}) => violations)"
_OVERFLOWING: Final = """[...document.querySelectorAll("body *")]
    .filter(each => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .filter(each => !each.closest("[data-scrolls], .scroll, .skip"))
    .map(each => each.outerHTML.slice(0, 120))"""


async def accessibility_faults(page: Page) -> list[str]:
    """Return what axe finds on a page: rule, element, reason."""
    session = await page.context.new_cdp_session(page)
    # As the developer tools do: the pages' own policy allows no script but theirs.
    await session.send("Runtime.evaluate", {"expression": (PACKAGES / "axe-core/axe.min.js").read_text()})
    asked = {"expression": _RUN, "awaitPromise": True, "returnByValue": True}
    found = (await session.send("Runtime.evaluate", asked))["result"]["value"]
    await session.detach()
    return [
        f"{violation['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for violation in found
        for node in violation["nodes"]
    ]


async def overflowing(page: Page) -> list[str]:
    """Return the elements that stick out at the right of the window; what scrolls by itself may."""
    found: list[str] = await page.evaluate(_OVERFLOWING)
    return found


def html_faults(pages: Mapping[str, str], directory: Path, environment: Mapping[str, str]) -> list[str]:
    """Return what the Nu checker finds, by the name of the page.

    Args:
        pages: HTML as it was served, by names.
        directory: where the checker finds them; empty.
        environment: in which Java is looked for.
    """
    names = {}
    for number, (name, html) in enumerate(pages.items()):
        file = directory / f"{number}.html"
        file.write_text(html)
        names[file.name] = name
    java = (find_java(environment), "-XX:TieredStopAtLevel=1", "-Xss2m", "-jar")
    done = subprocess.run(
        [*java, _NU, "--stdout", "--format", "json", "--exit-zero-always", directory],
        capture_output=True,
        text=True,
        check=True,
    )
    messages: list[dict[str, Any]] = json.loads(done.stdout)["messages"]
    return [
        f"{names[Path(message['url']).name]}: {message['message']}: {message.get('extract', '')}"
        for message in messages
        if message["message"] not in _INTENDED
    ]
