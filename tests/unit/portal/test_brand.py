"""The brand on the pages: its colours can be read, its logo is a file of ours."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from portal.settings import LONGEST_LOGO_BYTES, PortalSettings
from portal.web.brand import DARK_GROUND, LIGHT_GROUND, contrast, readable, stylesheet
from tests.unit.portal.conftest import OpenPortal

SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ffffff", "#ffffff") == 1


@pytest.mark.parametrize(
    "accent", ["#0b5cad", "#ffcc00", "#ffffff", "#000000", "#ff0000", "#00FF00", "#808080"]
)
def test_every_accent_gets_shades_that_can_be_read(accent: str) -> None:
    light, dark = stylesheet(accent).split("@media")
    for css, ground in ((light, LIGHT_GROUND), (dark, DARK_GROUND)):
        shades = dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{6})", css))
        assert contrast(shades["accent"], ground) >= 3
        assert contrast(shades["accent-text"], ground) >= 4.5
        assert contrast(shades["accent-text"], shades["on-accent"]) >= 4.5


def test_readable_accent_stays_as_it_is() -> None:
    assert readable("#0b5cad", LIGHT_GROUND, "#000000", 4.5) == "#0b5cad"


async def test_name_and_logo_are_on_the_pages(open_portal: OpenPortal, tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text(SVG)
    portal = await open_portal(PortalSettings(name="<b>Ejemplo & Co</b>", logo=logo, accent="#aa0000"))
    page = await (await portal.get("/track")).text()
    assert "<b>Ejemplo" not in page
    assert "&lt;b&gt;Ejemplo &amp; Co&lt;/b&gt;" in page
    address = (re.search(r'src="(/assets/logo\.[^"]+)"', page) or ["", ""])[1]
    shown = await portal.get(address)
    assert (await shown.text(), shown.content_type) == (SVG, "image/svg+xml")
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in shown.headers["Content-Security-Policy"]


def test_settings_reject_what_no_page_could_show(tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(b"x" * (LONGEST_LOGO_BYTES + 1))
    for wrong in (
        {"accent": "red"},
        {"accent": "#12345"},
        {"name": ""},
        {"logo": tmp_path / "none.svg"},
        {"logo": large},
        {"logo": Path(__file__)},
        {"time_zone": "Mexico"},
        {"api_url": "javascript:alert(1)"},
    ):
        with pytest.raises(ValidationError):
            PortalSettings.model_validate(wrong)
