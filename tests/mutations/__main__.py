"""`python -m tests.mutations [NAME ...]`: remove each safeguard, and check that a test fails."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.mutations.catalogue import MUTATIONS
from tests.mutations.mutation import Mutation
from tests.mutations.tree import BrokenCopyError, Tree, is_killed
from tests.support.stack import environment_of, start_stack


def main(names: list[str]) -> int:
    """Run the named mutations, all of them without names, and print each result."""
    chosen = [each for each in MUTATIONS if not names or each.name in names]
    with (
        tempfile.TemporaryDirectory(prefix="mutations-") as place,
        _servers(Path(place) / "stack") as env,
        Tree.copied_to(Path(place) / "copy", env) as tree,
    ):
        whole = tree.run(dict.fromkeys(test for each in chosen for test in each.tests))
        if whole.code != 0:
            raise BrokenCopyError(f"with all safeties in place, these tests must pass:\n{whole.output}")
        _say(f"with all safeties in place: passed, {whole.seconds:.1f} s")
        survivors = [each for each in chosen if not _is_noticed(tree, each)]
    _say(f"{len(chosen)} mutations, {len(survivors)} survived")
    return 1 if survivors or not chosen else 0


@contextmanager
def _servers(home: Path) -> Iterator[dict[str, str]]:
    """Start the stores once for all mutations, from the sources as they are."""
    with start_stack(home, env={**os.environ, "ENV": "development"}, stores_only=True) as stack:
        yield {**os.environ, **environment_of(stack)}


def _is_noticed(tree: Tree, mutation: Mutation) -> bool:
    run = tree.without(mutation)
    noticed = is_killed(mutation, run)
    killers = ", ".join(each.rpartition("::")[2] for each in run.failed) or "NOBODY"
    _say(f"{'killed' if noticed else 'SURVIVED':8}  {run.seconds:5.1f} s  {mutation.safety} | {killers}")
    if not noticed:
        _say(run.output)
    return noticed


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
