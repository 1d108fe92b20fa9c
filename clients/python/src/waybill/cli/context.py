"""Shared context of the commands: the client that they call, and how results are printed."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from types import TracebackType
from typing import Annotated, Any, Final, Self

import typer
from pydantic import BaseModel
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from waybill import Waybill
from waybill.cli.errors import CommandFailed
from waybill.cli.literal import literal
from waybill.cli.profiles import credentials
from waybill.cli.profiles.credentials import Access, access_of, address_of
from waybill.cli.profiles.store import ProfileStore

Json = dict[str, Any]
Shown = BaseModel | Mapping[str, Any]

RETRIES: Final = 3
"""A person waits: after some seconds it is better to say what is wrong."""

_WIDE: Final = 200
"""Width of output that is not a terminal, as in a pipe: lines are not cut."""


def profile_names(incomplete: str) -> list[str]:
    """Return the names of profiles that begin so, for the completion of the shell."""
    try:
        known = ProfileStore().load().by_name
    except CommandFailed:  # the command itself says why
        return []
    return sorted(each for each in known if each.startswith(incomplete))


@dataclass(frozen=True, slots=True)
class Deployment:
    """The Waybill to work on, as whom, and the output format."""

    url: Annotated[
        str | None, typer.Option(help=f"Address of Waybill ({credentials.URL}).", metavar="URL")
    ] = None
    profile: Annotated[
        str | None,
        typer.Option(
            help=f"A stored login ({credentials.PROFILE}).",
            metavar="NAME",
            autocompletion=profile_names,
        ),
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False


class CliContext:
    """Context of one command. Results go to stdout; progress and notices to stderr."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.as_json = deployment.as_json
        # What comes from Waybill was written by anybody: no markup and no control sequence counts.
        self.watching = Console(stderr=True, highlight=False, markup=False, emoji=False)
        width = None if sys.stdout.isatty() else _WIDE
        self._out = Console(highlight=False, markup=False, emoji=False, width=width)

    def __enter__(self) -> Self:
        """Return the context."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Close the connections of the client."""
        for name in ("client", "anonymous"):
            if name in self.__dict__:
                getattr(self, name).close()

    @cached_property
    def client(self) -> Waybill:
        """The client, with the credentials of the profile or of the environment.

        Raises:
            Misused: there are none, or they are for another address.
        """
        asked = self.deployment
        return client_of(access_of(asked.url, asked.profile, os.environ, ProfileStore().load()))

    @cached_property
    def anonymous(self) -> Waybill:
        """A client without credentials, for what anybody may read."""
        return client_of(Access(self.url))

    @property
    def url(self) -> str:
        """The address alone, for what needs no credentials."""
        asked = self.deployment
        if asked.url or os.environ.get(credentials.URL):
            return address_of(asked.url, os.environ)
        profiles = ProfileStore().load()
        name = asked.profile or os.environ.get(credentials.PROFILE) or profiles.current
        return credentials.DEFAULT_URL if name is None else profiles.named(name).url

    def show(self, found: Shown | Sequence[Shown]) -> None:
        """Print a result as JSON, or the fields of an object line by line."""
        if self.as_json or not isinstance(found, BaseModel | Mapping):
            self.show_line(found)
            return
        fields = {literal(name): text_of(value) for name, value in to_json(found).items()}
        width = max(map(len, fields), default=0)
        for name, text in fields.items():
            # The terminal wraps: a line break of ours would be copied with a long address or secret.
            self._out.print(Text.assemble((name.ljust(width), "bold"), "  ", text), soft_wrap=True)

    def show_line(self, found: Shown | Sequence[Shown] | str) -> None:
        """Print one line: JSON, or text as it is."""
        if not isinstance(found, str):
            found = json.dumps(_plain(found), ensure_ascii=False, separators=(",", ":"))
        self._out.out(literal(found))

    def show_list(self, found: Iterable[Shown], columns: Sequence[str]) -> None:
        """Print objects as JSON, or as a table of some of their fields."""
        if self.as_json:
            self.show([to_json(each) for each in found])
            return
        table = Table(box=SIMPLE, pad_edge=False)
        for name in columns:
            table.add_column(name.replace("_", " "), overflow="fold")
        for each in found:
            fields = to_json(each)
            table.add_row(*(text_of(fields.get(name)) for name in columns))
        self._out.print(table)

    def show_some(self, items: Iterable[Shown], columns: Sequence[str], *, limit: int) -> None:
        """Print the first objects of a list, with a notice if there are more."""
        found = list(islice(items, limit + 1))
        self.show_list(found[:limit], columns)
        if len(found) > limit:
            self.say(f"there are more than these {limit}: --limit shows more at once")

    def say(self, text: str) -> None:
        """Print a notice to stderr."""
        self.watching.print(literal(text), soft_wrap=True)


def client_of(access: Access) -> Waybill:
    """Return a client, to be closed after use."""
    return Waybill(
        access.url,
        username=access.username,
        password=access.password,
        api_key=access.api_key,
        token=access.token,
        retries=RETRIES,
    )


def to_json(found: Shown) -> Json:
    """Return an object as the API has sent it."""
    if not isinstance(found, BaseModel):
        return dict(found)
    fields = found.model_dump(by_alias=True, exclude_unset=True)
    return dict(json.loads(json.dumps(fields, default=_instant)))


def text_of(value: object) -> str:
    """Return a field's value as text for a cell."""
    if value is None:
        return "-"
    return literal(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _instant(value: object) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"{type(value).__name__} is no JSON")
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(found: Shown | Sequence[Shown]) -> object:
    if isinstance(found, BaseModel | Mapping):
        return to_json(found)
    return [to_json(each) for each in found]
