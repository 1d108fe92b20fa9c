"""Pytest plugin of the fault matrix: the rows that tests prove, their recovery times, and the table."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests.faults.matrix import Row

_ROW, _RECOVERY = "fault", "recovery_s"


class Recovery:
    """Recorder of the recovery time, for the row of the table."""

    def __init__(self, properties: list[tuple[str, object]]) -> None:
        self._properties = properties

    def took(self, seconds: float) -> None:
        """Record the time from the end of the fault until everything worked again."""
        self._properties.append((_RECOVERY, seconds))

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Time a block that begins when the fault ends and ends when everything works."""
        started = time.monotonic()
        yield
        self.took(time.monotonic() - started)


@dataclass(slots=True)
class _Proof:
    """Results of the tests of one row."""

    passed: int = 0
    failed: int = 0
    recoveries_s: list[float] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        if self.failed:
            return f"{self.failed} of {self.passed + self.failed} FAILED"
        return f"{self.passed} passed" if self.passed else "NOT RUN"

    @property
    def worst(self) -> str:
        return f"{max(self.recoveries_s):.1f} s" if self.recoveries_s else "-"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--fault-table`."""
    parser.addoption("--fault-table", action="store_true", help="print the fault matrix with what was proven")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Attach the rows of a test to its reports."""
    for row in rows_of(item):
        item.user_properties.append((_ROW, row.name))


@pytest.fixture
def recovery(request: pytest.FixtureRequest) -> Recovery:
    """Give the test a recorder of its recovery time."""
    return Recovery(request.node.user_properties)


def rows_of(item: pytest.Item) -> list[Row]:
    """Return the rows that a test proves."""
    return [row for marker in item.iter_markers("fault") for row in marker.args]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    if not config.getoption("--fault-table"):
        return
    reports = [
        report for name in ("passed", "failed", "error") for report in terminalreporter.getreports(name)
    ]
    terminalreporter.section("fault matrix")
    for line in _lines(_proofs(reports)):
        terminalreporter.write_line(line)


def _proofs(reports: Iterable[pytest.TestReport]) -> dict[Row, _Proof]:
    proofs: defaultdict[Row, _Proof] = defaultdict(_Proof)
    for report in reports:
        if report.when != "call" and not report.failed:
            continue
        for name, value in report.user_properties:
            if name == _ROW:
                proof = proofs[Row[str(value)]]
                proof.failed += report.failed
                proof.passed += report.passed
                proof.recoveries_s += [float(str(s)) for key, s in report.user_properties if key == _RECOVERY]
    return proofs


def _lines(proofs: dict[Row, _Proof]) -> Iterator[str]:
    widths = max(len(row.fault) for row in Row), max(len(row.must_hold) for row in Row)
    head = ("fault", "what must hold", "tests", "worst recovery")
    for fault, must_hold, tests, worst in (
        head,
        *(
            (row.fault, row.must_hold, proofs.get(row, _Proof()).verdict, proofs.get(row, _Proof()).worst)
            for row in Row
        ),
    ):
        yield f"{fault:{widths[0]}}  {must_hold:{widths[1]}}  {tests:14}  {worst}"
