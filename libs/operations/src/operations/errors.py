"""Errors that end a command early; each is one line of text and has its exit code.

OperationFailed
├── Refused        Waybill rejected the request (1)
├── Unfinished     part of the work is done, another part is not (1)
├── Misused        missing or conflicting arguments (2)
├── NotAnswering   Waybill is unreachable, or unable to respond right now: retry later (3)
└── Interrupted    by Ctrl-C, in the middle of the work (130)
"""

from typing import ClassVar


class OperationFailed(Exception):
    """Base of the errors that end a command; its text is for people."""

    exit_code: ClassVar[int] = 1


class Refused(OperationFailed):
    """Waybill rejected the request.

    Attributes:
        status: of the response.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Unfinished(OperationFailed):
    """Part of the work is done, another part is not; the text says which."""


class Misused(OperationFailed):
    """The command was called with missing or conflicting arguments."""

    exit_code = 2


class NotAnswering(OperationFailed):
    """Waybill is unreachable, or unable to respond right now."""

    exit_code = 3


class Interrupted(OperationFailed):
    """Ctrl-C in the middle of the work; the text says what is done and what is not."""

    exit_code = 130
