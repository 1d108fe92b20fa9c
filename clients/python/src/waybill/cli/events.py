"""`events`: reported, taken back, read and followed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from waybill._sync.listing import Listing
from waybill.batches import MAX_EVENTS, joined, shifted
from waybill.cli.context import CliContext, to_json
from waybill.cli.errors import Interrupted, Misused, Unfinished, failure_of
from waybill.cli.inputs import finite, instant, json_lines, segment
from waybill.cli.options import expanded
from waybill.errors import WaybillError
from waybill.fields import EventFilters
from waybill.models import Event, QueuedBatch, QueuedItem, RejectedItem
from waybill.models.common import REPORTABLE

app: Final = typer.Typer(
    name="events", no_args_is_help=True, help="Report events, and see what became of them."
)

Number = Annotated[
    str, typer.Argument(help="Tracking number of the shipment.", metavar="NUMBER", parser=segment)
]
EventId = Annotated[str, typer.Argument(help="Such as evt_….", metavar="EVENT", parser=segment)]
Wait = Annotated[
    int | None, typer.Option(min=0, max=30, help="Seconds to wait until it is applied; by default none.")
]

EVENT_COLUMNS: Final = ("timestamp", "status", "checkpoint", "source", "outcome", "reason", "event_id")
CHECKPOINTS: Final = (
    *("out_for_delivery", "delivery_failed", "arrived_at_hub", "departed_hub"),
    *("on_hold", "available_for_pickup", "returning"),
)

_POLL_S: Final = 2.0


def statuses(incomplete: str) -> list[str]:
    """Return the statuses that begin so, for the completion of the shell."""
    return [each for each in REPORTABLE if each.startswith(incomplete)]


def _checkpoint(incomplete: str) -> list[str]:
    return [each for each in CHECKPOINTS if each.startswith(incomplete)]


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Filter of a shipment's events."""

    outcome: Annotated[str | None, typer.Option(help="applied, rejected, dead or conflict.")] = None
    status: Annotated[str | None, typer.Option(help="Of this status.", autocompletion=statuses)] = None
    source: Annotated[str | None, typer.Option(help="Of this source.")] = None
    since: Annotated[str | None, typer.Option("--from", help="Then or later (RFC 3339).", parser=instant)] = (
        None
    )
    until: Annotated[str | None, typer.Option("--to", help="Before then (RFC 3339).", parser=instant)] = None
    limit: Annotated[int, typer.Option(min=1, help="Maximum number.")] = 20

    def query(self) -> EventFilters:
        """Return the filter as arguments of the client."""
        return {
            "outcome": self.outcome,
            "status": self.status,
            "source": self.source,
            "from_": self.since,
            "to": self.until,
        }


@dataclass(frozen=True, slots=True)
class Scan:
    """Fields of an event besides its shipment and its status."""

    source: Annotated[str, typer.Option(help="Who or what has seen it, such as scanner-mex-03.")]
    checkpoint: Annotated[
        str | None,
        typer.Option(help="Such as arrived_at_hub, instead of a status.", autocompletion=_checkpoint),
    ] = None
    timestamp: Annotated[
        str | None, typer.Option(help="When it happened (RFC 3339); now, if left out.", parser=instant)
    ] = None
    lat: Annotated[float | None, typer.Option(help="With --lng.", parser=finite)] = None
    lng: Annotated[float | None, typer.Option(help="With --lat.", parser=finite)] = None
    address: Annotated[str | None, typer.Option(help="Of the place, with --lat and --lng.")] = None
    notes: Annotated[str | None, typer.Option(help="Anything.")] = None
    signed_by: Annotated[str | None, typer.Option(help="Who signed, with the status delivered.")] = None

    def given(self) -> dict[str, Any]:
        """Return the fields that have a value, by the names of the API.

        Raises:
            Misused: half a place.
        """
        given = {
            "source": self.source,
            "checkpoint": self.checkpoint,
            "timestamp": self.timestamp,
            "location": self._location(),
            "notes": self.notes,
            "signed_by": self.signed_by,
        }
        return {name: value for name, value in given.items() if value is not None}

    def _location(self) -> dict[str, Any] | None:
        if (self.lat is None) != (self.lng is None) or (self.address is not None and self.lat is None):
            raise Misused("a place has --lat and --lng, and may have --address")
        if self.lat is None:
            return None
        place = {"lat": self.lat, "lng": self.lng}
        return place if self.address is None else place | {"address": self.address}


@app.command()
@expanded
def send(
    context: CliContext,
    tracking_number: Number,
    scan: Scan,
    status: Annotated[
        str | None,
        typer.Argument(
            help="Such as picked_up; or give --checkpoint.", metavar="[STATUS]", autocompletion=statuses
        ),
    ] = None,
    wait: Wait = None,
) -> None:
    """Report an event: a status, or a checkpoint between two statuses."""
    if (status is None) == (scan.checkpoint is None):
        raise Misused("say what happened: a status, or --checkpoint")
    context.show(context.client.events.report(tracking_number, status, wait=wait, **scan.given()))


@app.command()
@expanded
def send_file(
    context: CliContext,
    path: Annotated[
        str, typer.Argument(help="NDJSON, an event a line; - is standard input.", metavar="FILE")
    ],
) -> None:
    """Report many events; a line that is rejected does not hold back the others.

    Sending the same lines again is harmless: shipment, source and time are an event's identity. For tables
    (CSV, XLSX) there is `waybill import`.
    """
    lines = json_lines(path)
    result = _reported(context, list(lines.values()))
    rejected = [each for each in result.events if isinstance(each, RejectedItem)]
    if context.as_json:
        context.show(result)
    else:
        numbers = list(lines)
        for each in rejected:
            problems = "; ".join(f"{problem.pointer} {problem.message}" for problem in each.details)
            context.show_line(f"line {numbers[each.index]}: {problems or each.error}")
    if rejected:
        raise Unfinished(f"{result.queued} of {result.received} events are queued, {len(rejected)} rejected")
    context.say(f"{result.queued} events are queued")


def _reported(context: CliContext, events: Sequence[dict[str, Any]]) -> QueuedBatch:
    items: list[QueuedItem | RejectedItem] = []
    hidden = not context.watching.is_terminal
    columns = TextColumn("sending"), BarColumn(), MofNCompleteColumn()
    try:
        with Progress(*columns, console=context.watching, disable=hidden) as progress:
            shown = progress.add_task("", total=len(events))
            for start in range(0, len(events), MAX_EVENTS):
                part = events[start : start + MAX_EVENTS]
                items += shifted(context.client.events.report_batch(part, lenient=True), start)
                progress.advance(shown, len(part))
    except WaybillError as error:
        failed = failure_of(error)
        raise type(failed)(f"{failed}; {_so_far(items, events)}") from error
    except KeyboardInterrupt:
        raise Interrupted(f"stopped; {_so_far(items, events)}") from None
    return joined(items, len(events))


def _so_far(items: Sequence[object], events: Sequence[object]) -> str:
    return f"{len(items)} of {len(events)} events are answered; sending them all again is harmless"


@app.command()
@expanded
def retract(
    context: CliContext,
    event_id: EventId,
    reason: Annotated[str, typer.Option(help="Why it was wrong.")],
    wait: Wait = None,
) -> None:
    """Take back the last event of a shipment's history."""
    context.show(context.client.events.retract(event_id, reason, wait=wait))


@app.command()
@expanded
def get(context: CliContext, event_id: EventId) -> None:
    """Show an event, with what became of it and why."""
    context.show(context.client.events.get(event_id))


@app.command()
@expanded
def tail(
    context: CliContext,
    tracking_number: Number,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many to begin with.")] = 10,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Print what comes, until Ctrl-C.")] = False,
) -> None:
    """Print the last events of a shipment, rejected ones too, a line each.

    Followed, an event that was reported late or is applied at last is printed when that is seen.
    """
    listing = context.client.shipments.events(tracking_number)
    known = list(listing if follow else islice(listing, max(lines, 1)))
    _print(context, known[:lines])
    if follow:
        _follow(context, listing, known)


def _follow(context: CliContext, listing: Listing[Event], known: Sequence[Event]) -> None:
    """Print what changes in a list; it is by the events' own times, so a new one may stand anywhere in it."""
    while True:
        time.sleep(_POLL_S)
        if listing.first_page().pagination.total == len(known):
            continue
        seen = {(event.event_id, event.outcome) for event in known}
        known = list(listing)
        _print(context, [event for event in known if (event.event_id, event.outcome) not in seen])


def _print(context: CliContext, newest_first: Sequence[Event]) -> None:
    for event in reversed(newest_first):
        if context.as_json:
            context.show_line(event)
            continue
        fields = to_json(event)
        what = fields.get("checkpoint") or fields.get("status") or "-"
        parts = (fields["timestamp"], what, fields["source"], fields["outcome"], fields.get("reason") or "")
        context.show_line("  ".join(str(part) for part in parts).rstrip())
