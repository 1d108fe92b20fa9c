"""The list of mutations does not rot: what each one changes is still there, and so are its tests."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.mutations.catalogue import MUTATIONS
from tests.mutations.mutation import Mutation

ROOT = Path(__file__).parents[3]

each_mutation = pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)


def functions_of(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_mutation_has_a_name_of_its_own() -> None:
    assert max(Counter(each.name for each in MUTATIONS).values()) == 1


@each_mutation
def test_what_a_mutation_changes_stands_once_in_its_file(mutation: Mutation) -> None:
    assert (ROOT / mutation.file).read_text().count(mutation.old) == 1


@each_mutation
def test_a_mutation_is_still_python(mutation: Mutation) -> None:
    mutated = (ROOT / mutation.file).read_text().replace(mutation.old, mutation.new)
    assert mutated != (ROOT / mutation.file).read_text()
    ast.parse(mutated)


@each_mutation
def test_the_tests_named_for_a_mutation_exist(mutation: Mutation) -> None:
    assert mutation.tests
    for test in mutation.tests:
        file, _, name = test.partition("::")
        assert name.partition("[")[0] in functions_of(ROOT / file)
