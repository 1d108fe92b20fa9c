"""Every row of the fault matrix has a test that proves it."""

import ast
from pathlib import Path

from tests.faults.matrix import Row

TESTS = Path(__file__).parents[2]


def rows_in(path: Path) -> set[str]:
    """Return the rows that the markers of a module name."""
    return {
        argument.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault"
        for argument in node.args
        if isinstance(argument, ast.Attribute)
    }


def test_every_row_has_a_test() -> None:
    proven: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        proven |= rows_in(path)
    assert [row.name for row in Row if row.name not in proven] == []
