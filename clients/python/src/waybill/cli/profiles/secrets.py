"""Passwords and keys as they come in: from a terminal without echo, or as one line of standard input."""

import sys

import typer

from waybill.cli.errors import Misused


def asked(question: str) -> str:
    """Ask for a line that may be seen.

    Raises:
        Misused: standard input is no terminal.
    """
    if not sys.stdin.isatty():
        raise Misused(f"{question}: this is no terminal, so give it as an option")
    return str(typer.prompt(question, err=True))


def secret(question: str) -> str:
    """Ask for a password or key.

    Raises:
        Misused: standard input is no terminal and has no line.
    """
    return _asked(question, confirm=False) if sys.stdin.isatty() else _line(question)


def new_secret(question: str) -> str:
    """Ask for a new password, twice at a terminal.

    Raises:
        Misused: standard input is no terminal and has no line.
    """
    return _asked(question, confirm=True) if sys.stdin.isatty() else _line(question)


def _asked(question: str, *, confirm: bool) -> str:
    return str(typer.prompt(question, hide_input=True, confirmation_prompt=confirm, err=True))


def _line(question: str) -> str:
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise Misused(f"{question}: this is no terminal, so give it as one line on standard input")
    return line
