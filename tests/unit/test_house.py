"""The house rules that no linter counts: small functions, small modules."""

import ast
import re
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_FUNCTION = 40
LONGEST_MODULE = 400
MOST_METHODS = 15
BLOCKS = (ast.stmt, ast.excepthandler, ast.match_case)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


class Definition(NamedTuple):
    """A module, class or function; `lines` is 0 but for functions."""

    name: str
    lines: int
    docstring: str


@cache
def definitions(path: Path) -> list[Definition]:
    """Return the definitions of a module, not its tree: 800 trees keep the garbage collector busy."""
    blocks: list[ast.AST] = [ast.parse(path.read_text())]
    for block in blocks:
        blocks += [child for child in ast.iter_child_nodes(block) if isinstance(child, BLOCKS)]
    return [
        Definition(
            getattr(block, "name", ""),
            0 if isinstance(block, ast.Module | ast.ClassDef) else (block.end_lineno or 0) - block.lineno + 1,
            ast.get_docstring(block) or "",
        )
        for block in blocks
        if isinstance(block, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def modules() -> list[Path]:
    return files("*.py")


@cache
def files(pattern: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).exists()]


def test_git_knows_the_modules() -> None:
    assert ROOT / "libs/domain/src/domain/shipments/status.py" in modules()


def test_modules_stay_small() -> None:
    lines = {name(path): path.read_text().count("\n") for path in modules()}
    assert {path: count for path, count in lines.items() if count > LONGEST_MODULE} == {}


def test_functions_stay_small() -> None:
    too_long = {
        f"{name(path)}::{each.name}": each.lines
        for path in modules()
        for each in definitions(path)
        if each.lines > LONGEST_FUNCTION
    }
    assert too_long == {}


# Words that gave way to those of the field, and what is said instead; docs/glossary.md has the rest.
GONE_WORDS = {
    r"\bbur(?:y|ied|ying)\b": "dead-letter",
    r"\bstands? still\b|\bstand_still\b|\bstand_back\b|\bgo_on\b": "halted, resume",
    r"\bset aside\b|\bset_aside\b": "quarantined",
    r"\bLetter[A-Z]\w*|\b(?:the|a|one|each|open) letters?\b": "dead letter",
    r"\bNotebook\b|\bCaution\b|\bProcessKiller\b|\bMoveWriter\b|\bAsker\b|\bPatience\b": "see the glossary",
    r"\bcursed\b|\bperils\b|\brig\b|\bkin\b|\banew\b|\bwhoever\b": "plain words",
    r"\bdeeds?\b": "action",
    r"\bleash(?:ed)?\b": "die_with_parent",
}
RELATIVE = re.compile(r"(?:What|Who|Whose|Whom|Where|When|Which|How|Why|That)\b")


def production() -> list[Path]:
    folders = ("clients", "libs", "services", "tools")
    return [path for path in modules() if path.relative_to(ROOT).parts[0] in folders]


def pages() -> list[Path]:
    return [path for path in files("*.md") if path.name != "CHANGELOG.md"]  # it names what was renamed


def test_code_and_pages_speak_the_words_of_the_field() -> None:
    any_word = re.compile("|".join(GONE_WORDS))
    said = {
        name(path): found
        for path in [*modules(), *pages()]
        if path != Path(__file__)  # it names them
        and (found := sorted(set(any_word.findall(path.read_text()))))
    }
    assert said == {}, GONE_WORDS


def test_docstrings_begin_with_what_the_thing_does_or_is() -> None:
    relative = [
        f"{name(path)}: {each.docstring.splitlines()[0]}"
        for path in production()
        for each in definitions(path)
        if RELATIVE.match(each.docstring)
    ]
    assert relative == []


def test_folders_stay_small() -> None:
    folders = Counter(path.parent for path in production() if path.name != "__init__.py")
    assert {name(folder): count for folder, count in folders.items() if count > 14} == {}


@pytest.mark.parametrize("library", sorted((ROOT / "libs").glob("*/src/*")), ids=lambda path: path.name)
def test_no_two_modules_of_a_library_share_a_name(library: Path) -> None:
    names = Counter(path.name for path in library.rglob("*.py") if not path.name.startswith("__"))
    assert [name for name, count in names.items() if count > 1] == []
