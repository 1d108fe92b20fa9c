"""Expected failures, as one tree; each message is one line for the user.

StackError
├── SettingsError        an environment variable has no usable value
├── PrerequisiteError    the machine lacks a program, a library, disk space or a permission
├── PortTakenError       another program listens on the gateway's port
├── AlreadyRunningError  another supervisor holds the same home
├── DownloadError        Kafka could not be fetched
└── PartFailedError      a child died or never became ready
"""

from collections.abc import Sequence


class StackError(Exception):
    """An expected failure; `str()` is one line, `details` are lines worth showing below it."""

    def __init__(self, message: str, *, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.details = tuple(details)


class SettingsError(StackError):
    """An environment variable has no usable value."""


class PrerequisiteError(StackError):
    """The machine lacks something that only its owner can add."""


class PortTakenError(StackError):
    """Another program listens on the gateway's port."""


class AlreadyRunningError(StackError):
    """Another supervisor holds the same home."""


class DownloadError(StackError):
    """Kafka's jars could not be fetched."""


class PartFailedError(StackError):
    """A child process died, or was not ready in time."""
