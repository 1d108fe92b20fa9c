"""Passwords and keys as they come in: from a terminal without echo, or as one line of standard input."""

import sys

import typer

from waybill.cli.errors import Interrupted, Misused


def asked(question: str) -> str:
    """Ask for a line that may be seen.

    Raises:
        Misused: standard input is no terminal.
    """
    if not sys.stdin.isatty():
        raise Misused(f"{question}: this is no terminal, so give it as an option")
    return _typed(question)


def secret(question: str) -> str:
    """Ask for a password or key.

    Raises:
        Misused: standard input is no terminal and has no line.
        Interrupted: by Ctrl-C at the terminal.
    """
    return _typed(question, hide=True) if sys.stdin.isatty() else _line(question)


def new_secret(question: str) -> str:
    """Ask for a new password, twice at a terminal.

    Raises:
        Misused: standard input is no terminal and has no line.
        Interrupted: by Ctrl-C at the terminal.
    """
    return _typed(question, hide=True, confirm=True) if sys.stdin.isatty() else _line(question)


def _typed(question: str, *, hide: bool = False, confirm: bool = False) -> str:
    try:
        return str(typer.prompt(question, err=True, hide_input=hide, confirmation_prompt=confirm))
    except typer.Abort:
        raise Interrupted("stopped before anything was done") from None


def _line(question: str) -> str:
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise Misused(f"{question}: this is no terminal, so give it as one line on standard input")
    return line
