"""Values of options and files, checked before anything is sent."""

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import typer

from waybill.cli.errors import Misused

STANDARD_INPUT: Final = "-"
MOST_BYTES: Final = 64 * 2**20
"""Of a file that is read as a whole."""


def instant(text: str) -> str:
    """Return a time as it is given, if it is one with an offset (RFC 3339).

    Raises:
        typer.BadParameter: it is none, or has no offset.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text} is no time such as 2026-11-02T16:50:00Z") from None
    if read.tzinfo is None:
        raise typer.BadParameter(f"{text} has no offset: add Z or one such as -06:00")
    return text


def segment(text: str) -> str:
    """Return a number, name or id that stands as one segment of a path.

    Raises:
        typer.BadParameter: it is empty, or would lead to another path.
    """
    if text in ("", ".", ".."):
        raise typer.BadParameter(f"{text!r} is neither a number nor a name")
    return text


def finite(text: str) -> float:
    """Return a number that JSON can hold.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        read = float(text)
    except ValueError:
        raise typer.BadParameter(f"{text} is no number") from None
    if not math.isfinite(read):
        raise typer.BadParameter(f"{text} is no finite number")
    return read


def json_object(path: str) -> dict[str, Any]:
    """Read an object of JSON from a file, or from standard input (`-`).

    Raises:
        Misused: the file cannot be read, or is no object.
    """
    return _object(_whole(path), _name(path))


def json_lines(path: str) -> dict[int, dict[str, Any]]:
    """Read objects of NDJSON, by the numbers of their lines; empty lines are skipped.

    Raises:
        Misused: the file cannot be read, or a line is no object.
    """
    return {
        number: _object(line, f"{_name(path)}, line {number}")
        for number, line in enumerate(_whole(path).split(b"\n"), 1)
        if line.strip()
    }


def _whole(path: str) -> bytes:
    with _opened(path) as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise Misused(f"{_name(path)} is longer than {MOST_BYTES} bytes")
    return raw


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    if path == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    try:
        with Path(path).open("rb") as file:
            yield file
    except OSError as error:
        raise Misused(f"{path} cannot be read: {error.strerror}") from error


def _object(raw: bytes, place: str) -> dict[str, Any]:
    try:
        read = json.loads(raw, parse_constant=_no_constant)
        json.dumps(read, ensure_ascii=False).encode()  # an unpaired surrogate cannot be sent
    except (ValueError, RecursionError) as error:  # neither UTF-8 nor JSON
        raise Misused(f"{place}: no JSON: {error}") from None
    if not isinstance(read, dict):
        raise Misused(f"{place}: no JSON object")
    return read


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _name(path: str) -> str:
    return "standard input" if path == STANDARD_INPUT else path
