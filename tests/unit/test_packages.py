"""Each package declares the packages of this repository that it imports, no others: nor has its image."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECTS = sorted(
    path
    for part in ("clients", "libs", "services", "tools")
    for path in (ROOT / part).glob("*/pyproject.toml")
)
MODULES = {
    tomllib.loads(path.read_text())["tool"]["uv"]["build-backend"]["module-name"]: path for path in PROJECTS
}


def distribution(module: str) -> str:
    return "waybill" if module == "waybill" else f"waybill-{module.replace('_', '-')}"


def imported(project: Path) -> Iterator[str]:
    for path in (project.parent / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.partition(".")[0]
            elif isinstance(node, ast.Import):
                yield from (name.name.partition(".")[0] for name in node.names)


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.parent.name)
def test_package_declares_just_what_it_imports_from_this_repository(project: Path) -> None:
    dependencies = tomllib.loads(project.read_text())["project"]["dependencies"]
    declared = {each for each in dependencies if each == "waybill" or each.startswith("waybill-")}
    used = {name for name in imported(project) if name in MODULES and MODULES[name] != project}
    assert {distribution(name) for name in used} == declared
