"""The outbox's file: durable, shared by threads and processes, and clear about what is wrong with it."""

import os
import resource
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.builders import number
from waybill.outbox import InvalidScan, Outbox, OutboxError, OutboxFull

SOURCE = "scanner-mex-03"
TEN = datetime(2026, 11, 2, 10, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scans.db"


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    with Outbox(path) as outbox:
        yield outbox


def add(outbox: Outbox, index: int, status: str = "picked_up", minute: int = 0) -> int:
    at = TEN + timedelta(minutes=minute)
    return outbox.add(number(index), status, source=SOURCE, timestamp=at).id


def test_scan_is_there_when_the_file_is_opened_again(path: Path) -> None:
    with Outbox(path) as outbox:
        added = outbox.add(
            number(1).lower(),
            "delivered",
            source=SOURCE,
            timestamp=TEN,
            signed_by="María",
            location={"lat": 1, "lng": 2},
        )
    with Outbox(path) as outbox:
        (waiting,) = outbox.pending()
    assert waiting.id == added.id
    assert waiting.event == added.event
    assert (waiting.tracking_number, waiting.timestamp) == (number(1), TEN)
    assert abs(waiting.added_at - added.added_at) < timedelta(milliseconds=1)


def test_every_commit_reaches_the_disk(outbox: Outbox) -> None:
    with outbox._store._using() as run:  # noqa: SLF001  # durability has no other sign that a test can see
        assert run.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert run.execute("PRAGMA synchronous").fetchone() == (2,)
        assert run.execute("PRAGMA fullfsync").fetchone() == (1,)


def test_file_is_its_owners_alone(outbox: Outbox, path: Path) -> None:
    add(outbox, 1)
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == {"scans.db": 0o600, "scans.db-wal": 0o600, "scans.db-shm": 0o600}


def test_same_scan_waits_once(outbox: Outbox) -> None:
    assert add(outbox, 1) == add(outbox, 1)
    assert len(outbox.pending()) == 1


def test_scan_that_contradicts_a_waiting_one_is_refused(outbox: Outbox) -> None:
    add(outbox, 1, "picked_up")
    with pytest.raises(InvalidScan, match="needs a time of its own"):
        add(outbox, 1, "in_warehouse")
    assert len(outbox.pending()) == 1


def test_scans_of_one_moment_get_times_of_their_own(outbox: Outbox) -> None:
    codes = [f"hub_{index}" for index in range(20)]
    for code in codes:
        outbox.add(number(1), checkpoint=code, source=SOURCE)
    waiting = outbox.pending()
    times = [scan.timestamp for scan in waiting]
    assert [scan.event["checkpoint"] for scan in waiting] == codes
    assert times == sorted(set(times))


def test_empty_time_is_not_now(outbox: Outbox) -> None:
    with pytest.raises(InvalidScan, match="/timestamp: must be a time in RFC 3339"):
        outbox.add(number(1), "picked_up", source=SOURCE, timestamp="")


def test_full_outbox_says_so_and_keeps_what_it_has(path: Path) -> None:
    with Outbox(path, max_scans=2) as outbox:
        add(outbox, 1)
        add(outbox, 2)
        add(outbox, 2)  # it waits already
        with pytest.raises(OutboxFull, match=r"scans\.db holds 2 scans, its maximum"):
            add(outbox, 3)
        assert [scan.tracking_number for scan in outbox.pending()] == [number(1), number(2)]


def test_overdue_scans_are_counted(path: Path) -> None:
    with Outbox(path, max_age=timedelta(0)) as outbox:
        add(outbox, 1)
        time.sleep(0.002)
        status = outbox.status()
    assert (status.pending, status.refused, status.overdue) == (1, 0, 1)
    assert status.oldest_at is not None


def test_threads_add_at_once(outbox: Outbox) -> None:
    threads = [
        threading.Thread(target=lambda n=n: [add(outbox, n, minute=m) for m in range(10)]) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outbox.pending()) == 80


ADDER = """
import sys
from datetime import UTC, datetime, timedelta
from waybill.outbox import Outbox
with Outbox(sys.argv[1]) as outbox:
    for number in sys.argv[2:]:
        for minute in range(10):
            at = datetime(2026, 11, 2, 10, minute, tzinfo=UTC)
            outbox.add(number, "picked_up", source="scanner", timestamp=at)
"""


def test_processes_create_the_file_and_add_at_once(path: Path) -> None:
    adders = [
        subprocess.Popen([sys.executable, "-c", ADDER, str(path), number(n)], env=os.environ)
        for n in range(4)
    ]
    assert [adder.wait(30) for adder in adders] == [0] * 4
    with Outbox(path) as outbox:
        assert len(outbox.pending()) == 40


FORK = """
import os, sys
from waybill.outbox import Outbox
with Outbox(sys.argv[1]) as outbox:
    outbox.add(sys.argv[2], "picked_up", source="parent")
    child = os.fork()
    if child == 0:
        outbox.add(sys.argv[2], "picked_up", source="child")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    outbox.add(sys.argv[2], "picked_up", source="parent again")
    assert [scan.event["source"] for scan in outbox.pending()] == ["parent", "child", "parent again"]
"""


def test_outbox_can_be_used_on_both_sides_of_a_fork(path: Path) -> None:
    subprocess.run([sys.executable, "-c", FORK, str(path), number(1)], check=True, timeout=30)


def test_damaged_file_is_named(path: Path) -> None:
    with Outbox(path) as outbox:
        for minute in range(60):
            add(outbox, 1, minute=minute)
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(OutboxError, match=r"scans\.db: the file is damaged"), Outbox(path) as outbox:
        outbox.pending()


@pytest.mark.parametrize("content", [b"tracking_number,status\n" * 50, b"\0" * 5000])
def test_file_of_something_else_is_named_and_stays(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(OutboxError, match=r"scans\.db: the file is not an outbox"):
        Outbox(path)
    assert path.read_bytes() == content


def test_database_of_something_else_is_named_and_stays(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE prices (id INTEGER)")
    database.close()
    before = path.read_bytes()
    with pytest.raises(OutboxError, match="a database of something else"):
        Outbox(path)
    assert path.read_bytes() == before


def test_file_of_a_newer_version_is_named_and_stays(path: Path) -> None:
    Outbox(path).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 2")
    database.close()
    with pytest.raises(OutboxError, match=r"newer version of waybill \(format 2; this version reads 1\)"):
        Outbox(path)


def test_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutboxError, match=r"absent/scans\.db: No such file or directory"):
        Outbox(tmp_path / "absent" / "scans.db")


def test_closed_outbox_says_so(path: Path) -> None:
    outbox = Outbox(path)
    outbox.close()
    outbox.close()
    with pytest.raises(OutboxError, match="is closed"):
        outbox.pending()


READ_ONLY = """
import os, sys
from waybill.outbox import Outbox, OutboxError
if os.getuid() == 0:
    os.setuid(65534)  # for root, nothing is read-only
try:
    with Outbox(sys.argv[1]) as outbox:
        outbox.add(sys.argv[2], "picked_up", source="scanner")
except OutboxError as error:
    print(error)
"""


def test_read_only_file_is_named() -> None:
    with TemporaryDirectory() as folder:  # not of pytest: those can be entered by their owner alone
        path = Path(folder) / "scans.db"
        Outbox(path).close()
        path.parent.chmod(0o755)
        path.chmod(0o444)
        ran = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(path), number(1)],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    assert "scans.db: it cannot be written" in ran.stdout, ran.stderr


FULL_DISK = """
import resource, sys
from datetime import UTC, datetime, timedelta
from waybill.outbox import Outbox, OutboxError
def add(minute):
    at = datetime(2026, 11, 2, 10, tzinfo=UTC) + timedelta(minutes=minute)
    outbox.add(sys.argv[2], "picked_up", source="scanner", timestamp=at)
with Outbox(sys.argv[1]) as outbox:
    add(0)
    none, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, most))
    try:
        for minute in range(1, 10_000):
            add(minute)
    except OutboxError as error:
        print(error)
    stored = len(outbox.pending())
    assert stored == minute, (stored, minute)
    resource.setrlimit(resource.RLIMIT_FSIZE, (none, most))
    add(minute)
    assert len(outbox.pending()) == stored + 1
"""


def test_full_disk_stores_the_scan_or_says_that_it_is_not_stored(path: Path) -> None:
    """The system refuses to let the files grow, as a full disk does; then there is room again."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    ran = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path), number(1)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "scans.db: the disk" in ran.stdout
