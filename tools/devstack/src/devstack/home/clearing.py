"""Deletion of a stack's data: only on request, and after its owner has seen the list."""

import asyncio
import shutil
import sys
from pathlib import Path

import typer

from devstack.errors import PrerequisiteError, StackError
from devstack.home.directory import Home


def clear(home: Home, *, unasked: bool) -> None:
    """List a home's data, ask, and delete it; backups stay.

    Raises:
        StackError: a stack runs there, stdin is no terminal, or a file cannot be deleted.
    """
    asyncio.run(_clear(home, unasked=unasked))


async def _clear(home: Home, *, unasked: bool) -> None:
    if not home.contents:
        typer.echo(f"no data in {home.root}")
        return
    async with home.locked():
        found = home.contents
        typer.echo(f"in {home.root}:")
        for path in found:
            typer.echo(f"  {path.name:<16}{_size(path) / 1e6:10.1f} MB")
        typer.echo("shipments, users, events and the key that signs tokens are lost with it; backups stay")
        if not unasked:
            _ask()
        try:
            for path in found:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        except OSError as exc:
            raise PrerequisiteError(f"cannot delete {exc.filename}: {exc.strerror}") from exc
    typer.echo("deleted")


def _ask() -> None:
    if not sys.stdin.isatty():
        raise StackError("this is no terminal: ARGS=--yes deletes it without asking")
    if not typer.confirm("delete it?"):
        raise StackError("nothing was deleted")


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if file.is_file())
