"""`dead-letters`: records that could not be applied, listed, shown, sent again and discarded."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain
from typing import Annotated, Final

import typer

from operations.actions import COLUMNS as ACTION_COLUMNS
from operations.desk import CliContext
from operations.errors import Misused, Refused
from operations.options import Deployment, expanded
from operations.replaying import oldest_first, send_again
from operations.waybill import Json, path_to

app: Final = typer.Typer(
    name="dead-letters", no_args_is_help=True, help="Records that could not be applied, kept as they were."
)

_COLUMNS: Final = ("id", "recorded_at", "state", "reason", "tracking_number", "error")
_OUTCOME: Final = ("event_id", "outcome", "reason", "attempts", "recorded_at")
_OPEN: Final = "open"
_DISCARDED: Final = "discarded"

SomeIds = Annotated[list[str] | None, typer.Argument(help="These, whatever their state.", metavar="[ID…]")]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dead letters; `kind` is the reason for which they are dead, which `reason` may mean, too."""

    kind: Annotated[
        str | None, typer.Option("--reason", "--kind", help="unreadable, unprocessable or quarantined.")
    ] = None
    tracking_number: Annotated[str | None, typer.Option(help="Of this shipment.")] = None
    since: Annotated[str | None, typer.Option(help="Recorded then or later (RFC 3339).")] = None
    until: Annotated[str | None, typer.Option(help="Recorded before then (RFC 3339).")] = None
    state: Annotated[str | None, typer.Option(help="open, replayed or discarded.")] = None
    limit: Annotated[int | None, typer.Option(min=1, help="How many at most.")] = None

    def query(self, **otherwise: str) -> dict[str, str | None]:
        """Return it as the API is asked, with what counts where nothing else is said."""
        return {
            "reason": self.kind,
            "tracking_number": self.tracking_number,
            "from": self.since,
            "to": self.until,
            "state": self.state or otherwise.get("state"),
        }


@dataclass(frozen=True, slots=True)
class WhichToDiscard(Filter):
    """The same, where `--reason` says why they are discarded."""

    kind: Annotated[str | None, typer.Option("--kind", help="unreadable, unprocessable or quarantined.")] = (
        None
    )


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """How carefully to go about it."""

    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list which it would be.")] = False
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False


Force = Annotated[bool, typer.Option("--force", help="Also what somebody has discarded.")]


@app.command("list")
@expanded
def show_list(deployment: Deployment, which: Filter) -> None:
    """List dead letters, newest first (20, where no limit is given)."""
    desk = CliContext(deployment)
    pages = desk.waybill.pages("/dead-letters", **which.query())
    desk.show_some(pages, _COLUMNS, limit=which.limit or 20)


@app.command()
@expanded
def show(
    deployment: Deployment, dead_letter_id: Annotated[str, typer.Argument(help="Such as dl_3_17.")]
) -> None:
    """Show one dead letter: what it was, what broke, what was done about it, what became of its event."""
    desk = CliContext(deployment)
    letter = desk.waybill.get(path_to("dead-letters", dead_letter_id))
    event = _event_of(desk, letter)
    history = list(chain.from_iterable(desk.waybill.pages("/operator-actions", target=dead_letter_id)))
    if desk.as_json:
        desk.show(letter | {"event": event, "history": history})
        return
    desk.show(letter)
    if event is not None:
        desk.show_list([event], _OUTCOME)
    desk.show_list(history, ACTION_COLUMNS)


@app.command()
@expanded
def replay(
    deployment: Deployment, which: Filter, care: ReplayOptions, ids: SomeIds = None, *, force: Force = False
) -> None:
    """Send dead letters again, oldest first: those named, or those that match (open ones, if not said)."""
    desk = CliContext(deployment)
    letters = _named(desk, ids, which) if ids else _matching(desk, which)
    if not force:
        _require_not_discarded(letters)
    if care.dry_run or not letters:
        desk.show_list(letters, _COLUMNS)
        desk.say(f"{len(letters)} would be sent again")
        return
    if not care.yes:
        _confirm(f"Send {len(letters)} dead letters again?")
    send_again(desk, letters)


@app.command()
@expanded
def discard(
    deployment: Deployment,
    which: WhichToDiscard,
    care: ReplayOptions,
    reason: Annotated[str, typer.Option(help="Why nobody needs them any more.")],
    ids: SomeIds = None,
) -> None:
    """Take dead letters off the list of open ones, and say why: those named, or those that match."""
    desk = CliContext(deployment)
    if ids:
        _require_no_filter(which)
        _discard(desk, ids, reason)
        return
    if which == WhichToDiscard():
        raise Misused("name dead letters, or say which to look for: --state open for all open ones")
    letters = _matching(desk, which)
    if care.dry_run or not letters:
        desk.show_list(letters, _COLUMNS)
        desk.say(f"{len(letters)} would be discarded")
        return
    if not care.yes:
        _confirm(f"Discard {len(letters)} dead letters?")
    _discard(desk, [str(letter["id"]) for letter in letters], reason)


def _discard(desk: CliContext, ids: Sequence[str], reason: str) -> None:
    done: list[Json] = []
    try:
        for each in dict.fromkeys(ids):
            letter = desk.waybill.post(path_to("dead-letters", each, "discard"), {"reason": reason})
            done.append(letter)  # one by one: if the next is refused, these are shown
    finally:
        desk.show_list(done, _COLUMNS)


def _event_of(desk: CliContext, letter: Json) -> Json | None:
    if letter["event_id"] is None:
        return None
    try:
        return desk.waybill.get(path_to("events", letter["event_id"]))
    except Refused as refused:
        if refused.status == HTTPStatus.NOT_FOUND:
            return None
        raise


def _named(desk: CliContext, ids: Sequence[str], which: Filter) -> list[Json]:
    _require_no_filter(which)
    return oldest_first(desk.waybill.get(path_to("dead-letters", each)) for each in dict.fromkeys(ids))


def _require_no_filter(which: Filter) -> None:
    if which != type(which)():
        raise Misused("name dead letters or say which to look for, not both")


def _matching(desk: CliContext, which: Filter) -> list[Json]:
    pages = desk.waybill.pages("/dead-letters", **which.query(state=_OPEN))
    return oldest_first(chain.from_iterable(pages))[: which.limit]


def _require_not_discarded(letters: Sequence[Json]) -> None:
    for letter in letters:
        if letter["state"] == _DISCARDED:
            said = letter["discard"]
            raise Misused(
                f"{said['by']} has discarded {letter['id']} ({said['reason']}): --force sends it again"
            )


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise Misused(f"{question} Nobody is here to be asked, so say --yes")
    typer.confirm(question, abort=True, err=True)
