"""Why a command ends before its work is done; each says it in one line and has its exit code.

OperationFailed
├── Refused        Waybill said no (1)
├── Unfinished     a part of the work is done, another is not (1)
├── Misused        the command was not given what it needs (2)
├── NotAnswering   Waybill is not there, or cannot do it right now: try again later (3)
└── Interrupted    by Ctrl-C, in the middle of the work (130)
"""

from typing import ClassVar


class OperationFailed(Exception):
    """Root of what ends a command; its text is for people."""

    exit_code: ClassVar[int] = 1


class Refused(OperationFailed):
    """Waybill said no.

    Attributes:
        status: of its answer.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Unfinished(OperationFailed):
    """A part of the work is done, another is not; the text says which."""


class Misused(OperationFailed):
    """The command was not given what it needs."""

    exit_code = 2


class NotAnswering(OperationFailed):
    """Waybill is not there, or cannot do it right now."""

    exit_code = 3


class Interrupted(OperationFailed):
    """By Ctrl-C, in the middle of the work; the text says what is done and what is not."""

    exit_code = 130
