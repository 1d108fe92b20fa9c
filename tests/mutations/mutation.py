"""One safety taken away."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """A change to one source file that removes a safety, and the tests that must notice.

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
        """Whether one of its tests does."""
        return not all(test.startswith("tests/unit/") for test in self.tests)
