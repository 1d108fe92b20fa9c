"""Exit codes of the command, and the errors that end it early, each as one line of text.

CommandFailed
├── Rejected       Waybill rejected the request (1)
├── Unfinished     part of the work is done, another part is not (1)
├── Misused        missing or conflicting arguments, or no credentials (2)
├── Unavailable    Waybill is unreachable, or unable to respond right now (3)
└── Interrupted    by Ctrl-C, in the middle of the work (130)

The client's own errors end a command, too: `failure_of` says with which text and code.
"""

from enum import IntEnum
from http import HTTPStatus
from typing import ClassVar, Final, Self

from waybill.errors import ApiError, ConnectionFailed, WaybillError
from waybill.retries import TEMPORARY


class ExitCode(IntEnum):
    """Exit codes of every command."""

    meaning: str

    DONE = 0, "done"
    REJECTED = 1, "rejected by Waybill, or done only in part"
    MISUSED = 2, "wrong arguments, or no credentials"
    UNAVAILABLE = 3, "no response, or none right now: retry later"
    INTERRUPTED = 130, "stopped by Ctrl-C"

    def __new__(cls, code: int, meaning: str) -> Self:
        """Make a code with its meaning."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


_ENDED: Final = frozenset({"INVALID_TOKEN", "AUTHENTICATION_REQUIRED"})
"""Codes of a token that was revoked or has ended; with a password or a key the client gets another one."""


class CommandFailed(Exception):
    """Base of the errors that end a command; its text is for people."""

    exit_code: ClassVar[ExitCode] = ExitCode.REJECTED


class Rejected(CommandFailed):
    """Waybill rejected the request."""


class Unfinished(CommandFailed):
    """Part of the work is done, another part is not; the text says which."""


class Misused(CommandFailed):
    """The command was called with missing or conflicting arguments."""

    exit_code = ExitCode.MISUSED


class Unavailable(CommandFailed):
    """Waybill is unreachable, or unable to respond right now."""

    exit_code = ExitCode.UNAVAILABLE


class Interrupted(CommandFailed):
    """Ctrl-C in the middle of the work; the text says what is done and what is not."""

    exit_code = ExitCode.INTERRUPTED


def is_temporary(error: WaybillError) -> bool:
    """Return whether the same request may succeed later: no response, or one that says so."""
    if isinstance(error, ApiError):
        return error.status_code in TEMPORARY
    return isinstance(error, ConnectionFailed)


def failure_of(error: WaybillError) -> CommandFailed:
    """Return the error that ends a command for an error of the client."""
    failed = Unavailable if is_temporary(error) else Rejected
    return failed(_text_of(error))


def _text_of(error: WaybillError) -> str:
    if not isinstance(error, ApiError):
        return " ".join(str(error).split())
    said = f"{error.message} ({error.code})" if error.code else f"status {error.status_code}: {error.message}"
    parts = [said, *(f"{each.pointer} {each.message}" for each in error.details)]
    if error.code in _ENDED:
        parts.append("log in again: `waybill login`")
    elif error.status_code in TEMPORARY:
        parts.append(f"try again in {error.retry_after or 1:g} s")
    elif error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR and error.request_id:
        parts.append(f"request {error.request_id}")
    return "; ".join(parts)
