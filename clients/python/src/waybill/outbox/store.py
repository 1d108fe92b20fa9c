"""The outbox's file: an SQLite database in which every scan waits until it has been answered.

Write-ahead log with `synchronous=FULL`: a transaction is on the disk when it returns
(https://sqlite.org/pragma.html#pragma_synchronous). The file must be on a local disk, for a write-ahead log
needs shared memory (https://sqlite.org/wal.html).
"""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from waybill.models.common import Problem
from waybill.outbox.errors import InvalidScan, OutboxBusy, OutboxError, OutboxFull, explained
from waybill.outbox.scans import Event, RefusedScan, Scan, instant_of, line_of, milliseconds

APPLICATION_ID: Final = 0x5742_4F58
"""`WBOX`, in the file's header (https://sqlite.org/pragma.html#pragma_application_id)."""
VERSION: Final = 1
BUSY_S: Final = 30.0
POLL_S: Final = 0.05

_SCHEMA: Final = f"""
CREATE TABLE scans (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    added_at INTEGER NOT NULL,
    tracking_number TEXT NOT NULL,
    source TEXT NOT NULL,
    instant INTEGER NOT NULL,
    event TEXT NOT NULL,
    refused_at INTEGER,
    error TEXT,
    problems TEXT
);
CREATE UNIQUE INDEX waiting ON scans (tracking_number, source, instant) WHERE refused_at IS NULL;
CREATE INDEX refused ON scans (id) WHERE refused_at IS NOT NULL;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
"""


class Refusal(NamedTuple):
    """Refusal of a scan by the API: its error code and the faults it names."""

    error: str
    problems: Sequence[Problem]


class Counts(NamedTuple):
    """Numbers of scans in the file.

    Attributes:
        overdue: pending scans that were added before the time that was asked for.
        oldest_at: when the oldest pending scan was added; None if there is none.
    """

    pending: int
    refused: int
    overdue: int
    oldest_at: datetime | None


class ScanStore:
    """The scans of one file; any number of threads and processes may use it at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._owner = 0
        self._abandoned: list[sqlite3.Connection] = []
        self._closed = False
        with self._using():
            pass

    def close(self) -> None:
        """Close the file; repeating it is harmless."""
        with self._lock, explained(self.path):
            self._closed = True
            if self._connection is not None and self._owner == os.getpid():
                self._connection.close()
            self._connection = None

    def add(self, event: Event, at: datetime, most: int) -> Scan:
        """Store an event durably; one that waits already is returned as it is.

        Raises:
            OutboxFull: there are `most` scans, pending and refused ones together.
            InvalidScan: a scan that says something else waits with the same shipment, source and time.
        """
        instant = milliseconds(instant_of(event))
        line = line_of(event)
        with self._transaction() as run:
            waiting = run.execute(
                "SELECT id, added_at, event FROM scans"
                " WHERE tracking_number = ? AND source = ? AND instant = ? AND refused_at IS NULL",
                (event["tracking_number"], event["source"], instant),
            ).fetchone()
            if waiting is not None:
                return _the_same(_scan(waiting), line)
            (held,) = run.execute("SELECT count(*) FROM scans").fetchone()
            if held >= most:
                raise OutboxFull(
                    f"the outbox {self.path} holds {held} scans, its maximum: flush it, or clear its tray"
                )
            added = run.execute(
                "INSERT INTO scans (added_at, tracking_number, source, instant, event)"
                " VALUES (?, ?, ?, ?, ?)",
                (milliseconds(at), event["tracking_number"], event["source"], instant, line),
            ).lastrowid
        return Scan(int(added or 0), at, event)

    def pending(self, most: int = -1, up_to: int | None = None) -> list[Scan]:
        """Return the pending scans, oldest first: at most `most`, and none after the id `up_to`."""
        with self._using() as run:
            rows = run.execute(
                "SELECT id, added_at, event FROM scans WHERE refused_at IS NULL AND id <= ?"
                " ORDER BY id LIMIT ?",
                (2**63 - 1 if up_to is None else up_to, most),
            ).fetchall()
        return [_scan(row) for row in rows]

    def refused(self) -> list[RefusedScan]:
        """Return the refused scans, oldest first."""
        with self._using() as run:
            rows = run.execute(
                "SELECT id, added_at, event, refused_at, error, problems FROM scans"
                " WHERE refused_at IS NOT NULL ORDER BY id"
            ).fetchall()
        return [_refused(row) for row in rows]

    def last_id(self) -> int:
        """Return the id of the newest scan, pending or refused; 0 if there is none."""
        with self._using() as run:
            (newest,) = run.execute("SELECT coalesce(max(id), 0) FROM scans").fetchone()
        return int(newest)

    def counts(self, overdue_before: datetime) -> Counts:
        """Count the scans."""
        with self._using() as run:
            pending, refused, overdue, oldest = run.execute(
                "SELECT count(*) FILTER (WHERE refused_at IS NULL), count(refused_at),"
                " count(*) FILTER (WHERE refused_at IS NULL AND added_at < ?),"
                " min(added_at) FILTER (WHERE refused_at IS NULL) FROM scans",
                (milliseconds(overdue_before),),
            ).fetchone()
        return Counts(pending, refused, overdue, None if oldest is None else _at(oldest))

    def settle(self, queued: Iterable[int], refused: Iterable[tuple[int, Refusal]], at: datetime) -> None:
        """Record answers in one transaction: queued scans leave the file, refused ones go to the tray."""
        refusals = [
            (
                milliseconds(at),
                refusal.error,
                json.dumps([(each.pointer, each.message) for each in refusal.problems]),
                scan,
            )
            for scan, refusal in refused
        ]
        with self._transaction() as run:
            run.executemany("DELETE FROM scans WHERE id = ?", [(scan,) for scan in queued])
            run.executemany("UPDATE scans SET refused_at = ?, error = ?, problems = ? WHERE id = ?", refusals)

    def put_back(self, scan: int) -> bool:
        """Make a refused scan pending again, at its old place; return False if the tray has no such scan.

        Raises:
            InvalidScan: a scan with the same shipment, source and time waits meanwhile.
        """
        with self._transaction() as run:
            try:
                changed = run.execute(
                    "UPDATE scans SET refused_at = NULL, error = NULL, problems = NULL"
                    " WHERE id = ? AND refused_at IS NOT NULL",
                    (scan,),
                ).rowcount
            except sqlite3.IntegrityError as error:
                raise InvalidScan([_TAKEN]) from error
        return changed > 0

    def remove(self, scan: int) -> bool:
        """Delete a refused scan; return False if the tray has no such scan."""
        with self._transaction() as run:
            return (
                run.execute("DELETE FROM scans WHERE id = ? AND refused_at IS NOT NULL", (scan,)).rowcount > 0
            )

    @contextmanager
    def flushing(self, wait_s: float) -> Iterator[None]:
        """Hold the right to send, which one thread of one process has at a time.

        The lock is that of an empty database beside the file. The operating system releases it when the
        process ends, however it ends.

        Raises:
            OutboxBusy: somebody else still sends after `wait_s` seconds.
        """
        beside = self.path.with_name(self.path.name + "-flush")
        with explained(beside):
            lock = _connect(beside, wait_s)
        with closing(lock):
            try:
                with explained(beside):
                    lock.execute("BEGIN EXCLUSIVE")
            except OutboxBusy:
                raise OutboxBusy(f"the outbox {self.path} is being flushed elsewhere: try again") from None
            yield

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._using() as run:
            run.execute("BEGIN IMMEDIATE")
            try:
                yield run
                run.execute("COMMIT")
            except BaseException:
                if run.in_transaction:  # a full disk has ended it already
                    with suppress(sqlite3.Error):  # the first error says more
                        run.execute("ROLLBACK")
                raise

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock, explained(self.path):
            if self._closed:
                raise OutboxError(f"the outbox {self.path} is closed")
            if self._connection is None or self._owner != os.getpid():
                if self._connection is not None:
                    # The parent's: it must not be closed here (https://sqlite.org/howtocorrupt.html, 2.6).
                    self._abandoned.append(self._connection)
                self._connection, self._owner = _open(self.path), os.getpid()
            yield self._connection


_TAKEN: Final = Problem(
    pointer="/timestamp",
    message="another scan with this shipment, source and time waits already: it needs a time of its own",
)


def _connect(path: Path, wait_s: float) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=wait_s, isolation_level=None, check_same_thread=False)


def _open(path: Path) -> sqlite3.Connection:
    """Open the file, or create it for its owner alone; a file of something else stays as it is.

    Raises:
        OutboxError: the file is not an outbox, or one of a newer version.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    connection = _connect(path, BUSY_S)
    try:
        version = _version_of(path, connection)
        _use_write_ahead_log(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS keeps what fsync has written in the drive's cache
        connection.execute("PRAGMA checkpoint_fullfsync = ON")
        if version < VERSION:
            _create_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _version_of(path: Path, connection: sqlite3.Connection) -> int:
    """Return the version of an outbox; 0 of a file that is empty.

    Raises:
        OutboxError: the file is not an outbox, or one of a newer version.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (application or tables):
        raise OutboxError(f"{path} is a database of something else, not an outbox")
    if version > VERSION:
        raise OutboxError(
            f"the outbox {path} was written by a newer version of waybill (format {version}; this version"
            f" reads {VERSION}): upgrade waybill"
        )
    return int(version)


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch the journal mode, which fails at once while another process opens the file."""
    until = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(POLL_S)
        else:
            return


def _create_tables(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:  # else another process was faster
        for statement in _SCHEMA.split(";\n"):
            connection.execute(statement)
    connection.execute("COMMIT")


def _the_same(waiting: Scan, line: str) -> Scan:
    if line_of(waiting.event) != line:
        raise InvalidScan([_TAKEN])
    return waiting


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _scan(row: tuple[Any, ...]) -> Scan:
    scan, added_at, event = row
    return Scan(scan, _at(added_at), json.loads(event))


def _refused(row: tuple[Any, ...]) -> RefusedScan:
    scan, added_at, event, refused_at, error, problems = row
    named = tuple(Problem(pointer=pointer, message=message) for pointer, message in json.loads(problems))
    return RefusedScan(scan, _at(added_at), json.loads(event), _at(refused_at), error, named)
