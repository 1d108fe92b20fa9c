"""What may end the demo before its table; each message is one line for the person at the terminal.

DemoError
├── NotRunning      nothing listens where the stack should be
├── NotAnswering    the stack listened, but did not get over its trouble in time
└── Refused         the stack answered something that no resending can change
"""

from devstack.errors import StackError


class DemoError(StackError):
    """The demo cannot go on."""


class NotRunning(DemoError):
    """Nothing listens where the stack should be."""


class NotAnswering(DemoError):
    """The stack did not get over its trouble in time."""


class Refused(DemoError):
    """An answer that no resending can change."""
