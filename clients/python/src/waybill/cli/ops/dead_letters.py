"""`dead-letters`: records that could not be applied, listed, shown, sent again and discarded."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from waybill.cli.context import CliContext, to_json
from waybill.cli.errors import Misused
from waybill.cli.inputs import segment
from waybill.cli.ops.actions import COLUMNS as ACTION_COLUMNS
from waybill.cli.ops.replaying import oldest_first, send_again
from waybill.cli.options import expanded
from waybill.errors import NotFound
from waybill.fields import DeadLetterFilters
from waybill.models import DeadLetter, Event

app: Final = typer.Typer(
    name="dead-letters", no_args_is_help=True, help="Records that could not be applied, stored unchanged."
)

_COLUMNS: Final = ("id", "recorded_at", "state", "reason", "tracking_number", "error")
_OUTCOME: Final = ("event_id", "outcome", "reason", "attempts", "recorded_at")
_OPEN: Final = "open"
_DISCARDED: Final = "discarded"

SomeIds = Annotated[
    list[str] | None, typer.Argument(help="These, whatever their state.", metavar="[ID…]", parser=segment)
]


@dataclass(frozen=True, slots=True)
class Filter:
    """Filter of dead letters; `kind` is why a record was dead-lettered, which `reason` may mean, too."""

    kind: Annotated[
        str | None, typer.Option("--reason", "--kind", help="unreadable, unprocessable or quarantined.")
    ] = None
    tracking_number: Annotated[str | None, typer.Option(help="Of this shipment.")] = None
    since: Annotated[str | None, typer.Option(help="Recorded then or later (RFC 3339).")] = None
    until: Annotated[str | None, typer.Option(help="Recorded before then (RFC 3339).")] = None
    state: Annotated[str | None, typer.Option(help="open, replayed or discarded.")] = None
    limit: Annotated[int | None, typer.Option(min=1, help="Maximum number.")] = None

    def query(self, **otherwise: str) -> DeadLetterFilters:
        """Return the filter as arguments of the client, with `otherwise` where it says nothing."""
        return {
            "reason": self.kind,
            "tracking_number": self.tracking_number,
            "from_": self.since,
            "to": self.until,
            "state": self.state or otherwise.get("state"),
        }


@dataclass(frozen=True, slots=True)
class DiscardFilter(Filter):
    """The same filter, where `--reason` is the reason for discarding."""

    kind: Annotated[str | None, typer.Option("--kind", help="unreadable, unprocessable or quarantined.")] = (
        None
    )


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """Safeguards before a command changes anything."""

    dry_run: Annotated[bool, typer.Option("--dry-run", help="List them and change nothing.")] = False
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False


Force = Annotated[bool, typer.Option("--force", help="Include discarded ones.")]


@app.command("list")
@expanded
def show_list(context: CliContext, filters: Filter) -> None:
    """List dead letters, newest first (20, where no limit is given)."""
    found = context.client.dead_letters.list(**filters.query())
    context.show_some(found, _COLUMNS, limit=filters.limit or 20)


@app.command()
@expanded
def show(
    context: CliContext,
    dead_letter_id: Annotated[str, typer.Argument(help="Such as dl_3_17.", parser=segment)],
) -> None:
    """Show one dead letter: what it was, what broke, what was done about it, what became of its event."""
    dead_letter = context.client.dead_letters.get(dead_letter_id)
    event = _event_of(context, dead_letter)
    history = list(context.client.operator_actions.list(target=dead_letter_id))
    if context.as_json:
        shown = None if event is None else to_json(event)
        context.show(to_json(dead_letter) | {"event": shown, "history": [to_json(each) for each in history]})
        return
    context.show(dead_letter)
    if event is not None:
        context.show_list([event], _OUTCOME)
    context.show_list(history, ACTION_COLUMNS)


@app.command()
@expanded
def replay(
    context: CliContext,
    filters: Filter,
    options: ReplayOptions,
    ids: SomeIds = None,
    *,
    force: Force = False,
) -> None:
    """Replay dead letters, oldest first: those named, or those that match (open ones by default)."""
    dead_letters = _named(context, ids, filters) if ids else _matching(context, filters)
    if not force:
        _require_not_discarded(dead_letters)
    if options.dry_run or not dead_letters:
        context.show_list(dead_letters, _COLUMNS)
        context.say(f"{len(dead_letters)} would be replayed")
        return
    if not options.yes:
        _confirm(f"Replay {len(dead_letters)} dead letters?")
    send_again(context, dead_letters)


@app.command()
@expanded
def discard(
    context: CliContext,
    filters: DiscardFilter,
    options: ReplayOptions,
    reason: Annotated[str, typer.Option(help="Why they are no longer needed.")],
    ids: SomeIds = None,
) -> None:
    """Discard dead letters, with a reason: those named, or those that match."""
    if ids:
        _require_no_filter(filters)
        _discard(context, ids, reason)
        return
    if filters == DiscardFilter():
        raise Misused("name dead letters, or say which to look for: --state open for all open ones")
    dead_letters = _matching(context, filters)
    if options.dry_run or not dead_letters:
        context.show_list(dead_letters, _COLUMNS)
        context.say(f"{len(dead_letters)} would be discarded")
        return
    if not options.yes:
        _confirm(f"Discard {len(dead_letters)} dead letters?")
    _discard(context, [dead_letter.id for dead_letter in dead_letters], reason)


def _discard(context: CliContext, ids: Sequence[str], reason: str) -> None:
    done: list[DeadLetter] = []
    try:
        for each in dict.fromkeys(ids):
            dead_letter = context.client.dead_letters.discard(each, reason)
            done.append(dead_letter)  # one by one: if the next is refused, these are shown
    finally:
        context.show_list(done, _COLUMNS)


def _event_of(context: CliContext, dead_letter: DeadLetter) -> Event | None:
    if dead_letter.event_id is None:
        return None
    try:
        return context.client.events.get(dead_letter.event_id)
    except NotFound:
        return None


def _named(context: CliContext, ids: Sequence[str], filters: Filter) -> list[DeadLetter]:
    _require_no_filter(filters)
    return oldest_first(context.client.dead_letters.get(each) for each in dict.fromkeys(ids))


def _require_no_filter(filters: Filter) -> None:
    if filters != type(filters)():
        raise Misused("name dead letters or say which to look for, not both")


def _matching(context: CliContext, filters: Filter) -> list[DeadLetter]:
    found = context.client.dead_letters.list(**filters.query(state=_OPEN))
    return oldest_first(found)[: filters.limit]


def _require_not_discarded(dead_letters: Sequence[DeadLetter]) -> None:
    for dead_letter in dead_letters:
        if dead_letter.state == _DISCARDED and dead_letter.discard is not None:
            said = dead_letter.discard
            raise Misused(f"{said.by} has discarded {dead_letter.id} ({said.reason}): --force replays it")


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise Misused(f"{question} This is no terminal, so pass --yes")
    typer.confirm(question, abort=True, err=True)
