"""The house rules that no linter counts: small functions, small modules."""

import ast
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_FUNCTION = 40
LONGEST_MODULE = 400


def modules() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).exists()]


def test_git_knows_the_modules() -> None:
    assert ROOT / "libs/domain/src/domain/shipments/status.py" in modules()


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= LONGEST_MODULE
    too_long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]
    assert too_long == []


# Words that gave way to those of the field, and what is said instead; docs/glossary.md has the rest.
GONE_WORDS = {
    r"\bDelivery\b": "ConsumedCommand",
    r"\bbur(?:y|ied|ying)\b": "dead-letter",
    r"\bstands? still\b|\bstand_still\b|\bstand_back\b|\bgo_on\b": "halted, resume",
    r"\bset aside\b|\bset_aside\b": "quarantined",
    r"\bLetter[A-Z]\w*|\b(?:the|a|one|each|open) letters?\b": "dead letter",
    r"\bNotebook\b|\bCaution\b|\bProcessKiller\b|\bMoveWriter\b|\bAsker\b|\bPatience\b": "see the glossary",
    r"\bcursed\b|\bperils\b|\bkin\b|\banew\b|\bwhoever\b": "plain words",
    r"\bdeeds?\b": "action",
    r"\bleash(?:ed)?\b": "die_with_parent",
}
RELATIVE = re.compile(r"(?:What|Who|Whose|Whom|Where|When|Which|How|Why|That)\b")


def production() -> list[Path]:
    return [path for path in modules() if path.relative_to(ROOT).parts[0] in ("libs", "services", "tools")]


@pytest.mark.parametrize("path", production(), ids=lambda path: str(path.relative_to(ROOT)))
def test_production_code_speaks_the_words_of_the_field(path: Path) -> None:
    text = path.read_text()
    said = {found: instead for word, instead in GONE_WORDS.items() for found in re.findall(word, text)}
    assert said == {}


@pytest.mark.parametrize("path", production(), ids=lambda path: str(path.relative_to(ROOT)))
def test_docstrings_begin_with_what_the_thing_does_or_is(path: Path) -> None:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, documented)]
    docstrings = [text for node in nodes if (text := ast.get_docstring(node)) is not None]
    assert [text.splitlines()[0] for text in docstrings if RELATIVE.match(text)] == []


def test_folders_stay_small() -> None:
    folders = Counter(path.parent for path in production() if path.name != "__init__.py")
    assert {str(folder.relative_to(ROOT)): count for folder, count in folders.items() if count > 14} == {}


@pytest.mark.parametrize("library", sorted((ROOT / "libs").glob("*/src/*")), ids=lambda path: path.name)
def test_no_two_modules_of_a_library_share_a_name(library: Path) -> None:
    names = Counter(path.name for path in library.rglob("*.py") if not path.name.startswith("__"))
    assert [name for name, count in names.items() if count > 1] == []
