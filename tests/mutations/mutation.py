"""Mutation: the removal of one safeguard."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """Change to one source file that removes a safeguard, and the tests that must fail.

    Attributes:
        name: short, for the command line.
        safety: what the deleted lines promise.
        file: from the root of the repository.
        old: stands exactly once in `file`.
        new: what stands there instead; it must still run.
        tests: ids of tests, each of which must fail: the fastest that can know.
    """

    name: str
    safety: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    @property
    def needs_servers(self) -> bool:
        """True if one of its tests needs servers."""
        return not all(test.startswith("tests/unit/") for test in self.tests)
