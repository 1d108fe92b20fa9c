"""Every command in every page is run by a test, or says why it is not; all of them exist."""

import re
from importlib.util import find_spec

import pytest

from tests.support.pages import NOT_RUN, RUN_BY, SHOWN, TYPED, blocks, commands, pages
from tests.support.printed_calls import ROOT
from toolbox.__main__ import COMMANDS

MAKEFILE = (ROOT / "Makefile").read_text()
VERBS = set(re.findall(r"^([a-z-]+(?: [a-z-]+)*):", MAKEFILE, re.MULTILINE))
VARIABLES = set(re.findall(r"\$[({]+(?:[a-z]+ (?:\$\()?)?([A-Z_]+)", MAKEFILE))
# What is passed on to the programs, as from the environment.
SETTINGS = {"WAYBILL_HOME", "WAYBILL_PORT", "PROCESSORS", "PYTHON"}


@pytest.mark.parametrize("page", pages())
def test_each_block_says_what_it_is(page: str) -> None:
    assert [block for block in blocks(page) if block.language not in TYPED + SHOWN] == []
    fences = re.findall(r"^ *```", (ROOT / page).read_text(), re.MULTILINE)
    assert len(fences) == 2 * len(blocks(page)), "a block that does not end"


@pytest.mark.parametrize("page", pages())
def test_each_block_that_is_typed_is_run_or_says_why_not(page: str) -> None:
    typed = [block for block in blocks(page) if block.language in TYPED]
    assert [block for block in typed if block.note and not block.note.startswith(NOT_RUN)] == []
    assert [block for block in typed if block.note.strip() == NOT_RUN.strip()] == [], "without a reason"
    if any(block.is_run for block in typed):
        assert page in RUN_BY
        assert page in (ROOT / RUN_BY[page]).read_text()


def test_the_readmes_test_runs_every_block() -> None:
    assert [block for block in blocks("README.md") if block.is_run and "curl" not in block.text] == []


def test_the_site_leads_to_every_page_of_the_docs() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
    listed = set(re.findall(r"\S+\.md$", navigation, re.MULTILINE))
    assert {page for page in pages() if page.startswith("docs/")} - listed == set()


@pytest.mark.parametrize("page", pages())
def test_each_command_exists(page: str) -> None:
    unknown = []
    for command in commands(page):
        words = re.sub(r"(\"[^\"]*\"|'[^']*')", "", command.partition("#")[0]).split()
        if words[0] == "make":
            verbs = [word for word in words[1:] if re.fullmatch(r"[a-z][a-z-]*", word)]
            names = {word.partition("=")[0] for word in words[1:] if "=" in word}
            known = bool(verbs) and verbs[0] in VERBS and names <= VARIABLES | SETTINGS
        elif words[0] == "waybill-admin":
            known = words[1] in COMMANDS
        else:
            known = find_spec(words[2]) is not None
        if not known:
            unknown.append(command)
    assert unknown == []


def test_no_page_leads_past_make_where_there_is_a_verb() -> None:
    assert [page for page in pages() if "python -m devstack" in (ROOT / page).read_text()] == []
