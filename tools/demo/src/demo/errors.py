"""Errors that end the demo before its table; each message is one line for the person at the terminal.

DemoError
├── NotRunning      nothing listens where the stack should be
├── NotAnswering    the stack listened, but did not recover in time
└── Refused         the stack sent a response that no retry can change
"""

from devstack.errors import StackError


class DemoError(StackError):
    """The demo cannot continue."""


class NotRunning(DemoError):
    """Nothing listens where the stack should be."""


class NotAnswering(DemoError):
    """The stack did not recover in time."""


class Refused(DemoError):
    """A response that no retry can change."""
