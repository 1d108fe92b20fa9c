"""Every page: languages, assets, headers, the origin of writes, errors."""

import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from docgen.catalogues import catalogue_paths
from portal.web.assets import FOR_EVER
from tests.unit.portal.conftest import Client

ASSETS = files("portal").joinpath("assets")


@pytest.mark.parametrize("path", [path for _, path in catalogue_paths()], ids=lambda path: str(path)[-20:])
def test_every_message_has_its_translation(path: Path) -> None:
    entries = path.read_text().strip().split("\n\n")[1:]
    assert [each for each in entries if re.search(r'^msgstr(\[\d\])? ""$(?!\n")', each, re.MULTILINE)] == []


@pytest.mark.parametrize(
    ("query", "header", "tag"),
    [
        ("", "", "en"),
        ("", "es-ES,es;q=0.9,en;q=0.8", "es-MX"),
        ("", "fr, pt;q=0.5, en;q=0.1", "pt-BR"),
        ("", "es;q=nonsense, ,;;;q=", "en"),
        ("", "es;q=0, en;q=0.1", "en"),
        ("", "es;q=nan, pt;q=0.1", "pt-BR"),
        ("?lang=es", "pt", "es-MX"),
        ("?lang=xx", "pt", "pt-BR"),
    ],
)
async def test_language_is_the_chosen_one_or_the_reader_s(
    portal: Client, query: str, header: str, tag: str
) -> None:
    page = await portal.get(f"/track{query}", headers={"Accept-Language": header})
    assert page.headers["Content-Language"] == tag
    assert page.headers["Vary"] == "Accept-Language"
    assert f'<html lang="{tag}">' in await page.text()


async def test_assets_of_a_page_are_kept_for_ever(portal: Client) -> None:
    page = await (await portal.get("/track")).text()
    addresses = set(re.findall(r'(?:src|href)="(/assets/[^"]+)"', page))
    assert len(addresses) >= 4
    for address in addresses:
        asset = await portal.get(address)
        assert (asset.status, asset.headers["Cache-Control"]) == (200, FOR_EVER)
        assert "Set-Cookie" not in asset.headers


async def test_asset_of_another_release_is_ours_and_not_kept(portal: Client) -> None:
    asset = await portal.get("/assets/waybill.0000000000000000.css")
    assert (asset.status, asset.headers["Cache-Control"]) == (200, "no-cache")
    assert (await portal.get("/assets/settings.0.py")).status == 404
    assert (await portal.get("/assets/..%2fsettings.py")).status == 404


@pytest.mark.parametrize("path", ["/track", "/console", "/track/nothing/here", "/assets/none.css"])
async def test_responses_are_private_and_allow_no_foreign_code(portal: Client, path: str) -> None:
    headers = (await portal.get(path, allow_redirects=False)).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == ("same-origin" if path == "/console" else "no-referrer")


@pytest.mark.parametrize("origin", [None, "null", "https://elsewhere.example", "http://127.0.0.1"])
@pytest.mark.parametrize("path", ["/console", "/track", "/console/anything", "/track/session"])
async def test_write_from_elsewhere_is_rejected(portal: Client, path: str, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    response = await portal.post(path, headers=headers, data={})
    assert response.status in (403, 404, 405)
    own = await portal.post("/track", headers={"Origin": str(portal.make_url("")).rstrip("/")}, data={})
    assert own.status == 405


def test_templates_have_nothing_that_the_policy_forbids() -> None:
    folder = Path(str(files("portal").joinpath("templates")))
    templates = {path.name: path.read_text() for path in folder.rglob("*.html")}
    forbidden = re.compile(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\ssrc=)|javascript:|\|safe\b(?!\s*%)")
    assert len(templates) > 20
    assert {name: found for name, text in templates.items() if (found := forbidden.findall(text))} == {}


def test_foreign_files_are_those_that_were_reviewed() -> None:
    listed = json.loads(ASSETS.joinpath("vendored.json").read_text())
    for name, about in listed.items():
        assert hashlib.sha256(ASSETS.joinpath(name).read_bytes()).hexdigest() == about["sha256"]
    scripts = {each.name for each in ASSETS.iterdir() if each.name.endswith(".min.js")}
    assert scripts <= set(listed)


@pytest.mark.parametrize(("path", "status"), [("/console/nothing", 404)])
async def test_error_is_a_page_for_people(portal: Client, path: str, status: int) -> None:
    page = await portal.get(f"{path}?lang=es")
    assert (page.status, page.content_type) == (status, "text/html")
    assert "Algo salió mal" in await page.text()
