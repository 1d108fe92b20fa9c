"""Errors of the outbox. None of them loses a scan that `add()` has returned."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from waybill.errors import WaybillError
from waybill.models.common import Problem


class OutboxError(WaybillError):
    """The outbox's file cannot be used: the message has the path and the reason."""


class OutboxFull(OutboxError):
    """The outbox holds its maximum number of scans: the new one is not stored."""


class OutboxBusy(OutboxError):
    """Another thread or process used the outbox for longer than the call was willing to wait."""


class InvalidScan(OutboxError, ValueError):
    """The scan is invalid, and not stored.

    Attributes:
        problems: every fault that was found; `pointer` is a JSON Pointer (RFC 6901) into the event.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{each.pointer}: {each.message}" for each in problems))
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to make it again, in another process."""
        return type(self), (self.problems,)


_REASONS: Final = {
    sqlite3.SQLITE_FULL: "the disk is full: repeat the call once there is room",
    sqlite3.SQLITE_READONLY: "it cannot be written: the file or its folder is read-only",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: look at the folder and its permissions",
    sqlite3.SQLITE_PERM: "it cannot be opened: look at its permissions",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: move it away with its -wal file, and rescue it with"
    " `sqlite3 FILE .recover`",
    sqlite3.SQLITE_NOTADB: "the file is not an outbox",
    sqlite3.SQLITE_IOERR: "the disk fails or is full: repeat the call once it is in order",
}
_PRIMARY: Final = 0xFF
"""Mask that leaves the primary result code of an extended one (https://sqlite.org/rescode.html)."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into the outbox's, with the path and the reason.

    Raises:
        OutboxBusy: another connection held a lock for too long.
        OutboxError: anything else.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise OutboxBusy(f"the outbox {path} is in use elsewhere: try again") from error
        reason = f"{_REASONS[code]} ({error})" if code in _REASONS else str(error)
        raise OutboxError(f"the outbox {path}: {reason}") from error
    except OSError as error:
        raise OutboxError(f"the outbox {path}: {error.strerror or error}") from error
