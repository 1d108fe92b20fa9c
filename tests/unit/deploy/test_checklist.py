"""Paths and commands named by the checklist and similar pages exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TOPICS = ("Security", "Reliability", "Observability", "Performance", "Deployment", "Maintenance")
PAGES = (
    "docs/production-checklist.md",
    "docs/data.md",
    "docs/rollback.md",
    "docs/incident-response.md",
    "deploy/kubernetes/README.md",
    "deploy/terraform/README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
)


def named_paths(text: str) -> set[str]:
    """Return the text in backticks that can be a path of ours."""
    return set(re.findall(r"`((?:\.?[\w-]+/)+[\w.-]+\.(?:py|md|yaml|yml|env|tf|json))`", text))


def test_the_checklist_has_every_topic_and_each_row_a_file() -> None:
    text = ROOT.joinpath("docs/production-checklist.md").read_text()
    assert tuple(re.findall(r"^## (\w+)$", text, re.MULTILINE)) == TOPICS
    visible = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    rows = [line for line in visible.splitlines() if line.startswith("| ") and not line.startswith("| item")]
    assert len(rows) > 40
    assert [row for row in rows if "`" not in row.split("|")[2]] == []


@pytest.mark.parametrize("page", PAGES)
def test_paths_exist(page: str) -> None:
    text = ROOT.joinpath(page).read_text()
    assert [path for path in named_paths(text) if not _exists(page, path)] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", ROOT.joinpath(page).read_text())
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_verbs_exist(page: str) -> None:
    verbs = set(re.findall(r"^([a-z-]+):", ROOT.joinpath("Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", ROOT.joinpath(page).read_text())) <= verbs


def _exists(page: str, path: str) -> bool:
    places = (ROOT, (ROOT / page).parent)
    return any(place.joinpath(path).exists() for place in places)
