"""Logs of the embedded stack stay small, while their programs keep writing."""

from pathlib import Path

from devstack.supervision.launcher import KEPT_LOGS, Launcher, rotate


def test_a_small_log_stays(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("x" * 10)
    rotate(log, largest_bytes=10)
    assert [path.name for path in tmp_path.iterdir()] == ["a.log"]


def test_the_newest_lines_are_kept_and_the_oldest_go(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with log.open("a") as program:  # it keeps its file open, like a child
        for number in range(7):
            program.write(f"round {number}\n")
            program.flush()
            rotate(log, largest_bytes=3)
        program.write("now\n")
    kept = [(tmp_path / f"a.log.{number}").read_text() for number in range(1, KEPT_LOGS + 1)]
    assert (log.read_text(), kept) == ("now\n", ["round 6\n", "round 5\n", "round 4\n"])
    assert len(list(tmp_path.iterdir())) == KEPT_LOGS + 1


def test_a_missing_log_is_no_fault(tmp_path: Path) -> None:
    rotate(tmp_path / "a.log")
    assert list(tmp_path.iterdir()) == []


def test_all_logs_are_bounded(tmp_path: Path) -> None:
    for name in ("a.log", "supervisor.log", "ports.json"):
        (tmp_path / name).write_text("x" * 100)
    Launcher(tmp_path, {}, 0, largest_log_bytes=50).bound_logs()
    assert {path.name for path in tmp_path.iterdir()} == {
        *("a.log", "a.log.1", "supervisor.log", "supervisor.log.1", "ports.json")
    }
