"""Mutations work: the named tests fail with one, and pass without it. `make mutations` tries every one."""

import os
from collections.abc import Iterator

import pytest

from tests.mutations.catalogue import MUTATIONS
from tests.mutations.mutation import Mutation
from tests.mutations.tree import Tree, is_killed
from tests.support.stack import StackAddresses, environment_of

SAMPLE = {
    "acknowledgement-not-awaited",
    "fence-moves-back",
    "failure-in-a-cycle-swallowed",
    "redelivery-not-looked-up",
    "unreadable-batch-jumped",
}
IN_MEMORY = [each for each in MUTATIONS if each.name in SAMPLE and not each.needs_servers]
ON_SERVERS = [each for each in MUTATIONS if each.name in SAMPLE and each.needs_servers]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    with Tree.copied_to(tmp_path_factory.mktemp("mutations"), os.environ) as copy:
        yield copy


@pytest.fixture(scope="module")
def tree_on_servers(stack: StackAddresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    env = {**os.environ, **environment_of(stack)}
    with Tree.copied_to(tmp_path_factory.mktemp("mutations"), env) as copy:
        yield copy


def named(mutations: list[Mutation]) -> list[str]:
    return list(dict.fromkeys(test for each in mutations for test in each.tests))


def test_the_sample_is_of_the_catalogue_and_of_both_kinds() -> None:
    assert {each.name for each in [*IN_MEMORY, *ON_SERVERS]} == SAMPLE
    assert IN_MEMORY
    assert ON_SERVERS


@pytest.mark.timeout(300)
def test_with_all_safeties_in_place_the_tests_in_memory_pass(tree: Tree) -> None:
    run = tree.run(named(IN_MEMORY))
    assert run.code == 0, run.output


@pytest.mark.parametrize("mutation", IN_MEMORY, ids=lambda mutation: mutation.name)
def test_a_safety_in_memory_is_missed_when_it_is_taken_away(tree: Tree, mutation: Mutation) -> None:
    run = tree.without(mutation)
    assert is_killed(mutation, run), run.output


@pytest.mark.stack
@pytest.mark.timeout(300)
def test_with_all_safeties_in_place_the_tests_on_servers_pass(tree_on_servers: Tree) -> None:
    run = tree_on_servers.run(named(ON_SERVERS))
    assert run.code == 0, run.output


@pytest.mark.stack
@pytest.mark.parametrize("mutation", ON_SERVERS, ids=lambda mutation: mutation.name)
def test_a_safety_on_servers_is_missed_when_it_is_taken_away(
    tree_on_servers: Tree, mutation: Mutation
) -> None:
    run = tree_on_servers.without(mutation)
    assert is_killed(mutation, run), run.output
