"""`shipments`: registered, read, changed and followed."""

from dataclasses import dataclass, fields
from typing import Annotated, Any, Final

import typer

from waybill.cli.context import CliContext, to_json
from waybill.cli.errors import Misused
from waybill.cli.events import EVENT_COLUMNS, EventFilter, statuses
from waybill.cli.inputs import finite, instant, json_object, segment
from waybill.cli.options import expanded

app: Final = typer.Typer(name="shipments", no_args_is_help=True, help="Register, read and change shipments.")

Number = Annotated[str, typer.Argument(help="Tracking number.", metavar="NUMBER", parser=segment)]
Wait = Annotated[
    int | None, typer.Option(min=0, max=30, help="Seconds to wait until it is done; by default 5.")
]
Version = Annotated[
    int | None, typer.Option("--if-version", min=1, help="Only if the shipment still has this version.")
]

_COLUMNS: Final = ("tracking_number", "current_status", "client_id", "reference", "updated_at")
_HISTORY: Final = ("timestamp", "status", "checkpoint", "source", "notes", "event_id")
_ENDED: Final = frozenset({"delivered", "cancelled"})
_NEEDED: Final = "A new shipment has it."
_ARGUMENTS: Final = frozenset({"wait", "idempotency_key"})
_REQUIRED: Final = (
    *("origin_address", "origin_lat", "origin_lng"),
    *("destination_address", "destination_lat", "destination_lng", "weight_kg"),
)


@dataclass(frozen=True, slots=True)
class Fields:
    """Fields of a shipment, in the flat form of the API."""

    origin_address: Annotated[str | None, typer.Option(help=_NEEDED)] = None
    origin_lat: Annotated[float | None, typer.Option(help=_NEEDED, parser=finite)] = None
    origin_lng: Annotated[float | None, typer.Option(help=_NEEDED, parser=finite)] = None
    destination_address: Annotated[str | None, typer.Option(help=_NEEDED)] = None
    destination_lat: Annotated[float | None, typer.Option(help=_NEEDED, parser=finite)] = None
    destination_lng: Annotated[float | None, typer.Option(help=_NEEDED, parser=finite)] = None
    weight_kg: Annotated[float | None, typer.Option(help=_NEEDED, parser=finite)] = None
    length_cm: Annotated[float | None, typer.Option(help="All three, or none.", parser=finite)] = None
    width_cm: Annotated[float | None, typer.Option(parser=finite)] = None
    height_cm: Annotated[float | None, typer.Option(parser=finite)] = None
    content_description: Annotated[str | None, typer.Option(help="What is in it.")] = None
    reference: Annotated[str | None, typer.Option(help="Yours, such as the number of an order.")] = None
    earliest: Annotated[
        str | None, typer.Option(help="Expected delivery, with --latest (RFC 3339).", parser=instant)
    ] = None
    latest: Annotated[
        str | None, typer.Option(help="Expected delivery, with --earliest (RFC 3339).", parser=instant)
    ] = None

    def given(self) -> dict[str, Any]:
        """Return the fields that have a value, by the names of the API.

        Raises:
            Misused: one end of the expected delivery alone.
        """
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        window = {name: values.pop(name) for name in ("earliest", "latest")}
        if any(window.values()):
            if not all(window.values()):
                raise Misused("--earliest and --latest go together")
            values["estimated_delivery"] = window
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Filter:
    """Filter of the listed shipments."""

    status: Annotated[
        list[str] | None, typer.Option(help="Such as in_transit; several times.", autocompletion=statuses)
    ] = None
    client_id: Annotated[str | None, typer.Option(help="Of this client.")] = None
    tracking_number: Annotated[str | None, typer.Option(help="Beginning of the number.")] = None
    reference: Annotated[str | None, typer.Option(help="With this reference.")] = None
    created_from: Annotated[
        str | None, typer.Option(help="Created then or later (RFC 3339).", parser=instant)
    ] = None
    created_to: Annotated[
        str | None, typer.Option(help="Created before then (RFC 3339).", parser=instant)
    ] = None
    updated_from: Annotated[
        str | None, typer.Option(help="Updated then or later (RFC 3339).", parser=instant)
    ] = None
    updated_to: Annotated[
        str | None, typer.Option(help="Updated before then (RFC 3339).", parser=instant)
    ] = None
    limit: Annotated[int, typer.Option(min=1, help="Maximum number.")] = 20

    def query(self) -> dict[str, Any]:
        """Return the filter as arguments of the client."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "limit"}
        return {name: value for name, value in values.items() if value}


@app.command()
@expanded
def create(
    context: CliContext,
    given: Fields,
    client_id: Annotated[
        str | None, typer.Option(help="Client of the shipment; an admin has to say it.")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(help="JSON object in either form of the API, instead of options; - is standard input."),
    ] = None,
    idempotency_key: Annotated[
        str | None,
        typer.Option(help="Yours, such as the number of an order: run twice, it is one shipment."),
    ] = None,
    wait: Wait = None,
) -> None:
    """Register a shipment, and show its tracking number."""
    body = given.given() if file is None else _read(file, instead_of=given.given())
    if client_id is not None:
        body["client_id"] = client_id
    if file is None and (missing := [name for name in _REQUIRED if name not in body]):
        raise Misused(f"missing: {', '.join(map(_option, missing))}; or a JSON object by --file")
    context.show(context.client.shipments.create(**body, idempotency_key=idempotency_key, wait=wait))


@app.command()
@expanded
def get(context: CliContext, tracking_number: Number) -> None:
    """Show a shipment, with its history."""
    shipment = context.client.shipments.get(tracking_number)
    if context.as_json:
        context.show(shipment)
        return
    shown = to_json(shipment)
    history = shown.pop("status_history")
    context.show(shown)
    context.show_list(history, _HISTORY)


@app.command("list")
@expanded
def show_list(context: CliContext, filters: Filter) -> None:
    """List shipments, newest first."""
    context.show_some(context.client.shipments.list(**filters.query()), _COLUMNS, limit=filters.limit)


@app.command()
@expanded
def amend(
    context: CliContext,
    tracking_number: Number,
    changes: Fields,
    if_version: Version = None,
    wait: Wait = None,
) -> None:
    """Change some fields of a shipment."""
    body = changes.given()
    if not body:
        raise Misused("nothing to change: give an option such as --weight-kg")
    context.show(context.client.shipments.amend(tracking_number, **body, if_version=if_version, wait=wait))


@app.command()
@expanded
def cancel(
    context: CliContext, tracking_number: Number, if_version: Version = None, wait: Wait = None
) -> None:
    """Cancel a shipment."""
    context.show(context.client.shipments.cancel(tracking_number, if_version=if_version, wait=wait))


@app.command()
@expanded
def events(context: CliContext, tracking_number: Number, filters: EventFilter) -> None:
    """List the events of a shipment, newest first, with what became of each."""
    found = context.client.shipments.events(tracking_number, **filters.query())
    context.show_some(found, EVENT_COLUMNS, limit=filters.limit)


@app.command()
@expanded
def watch(
    context: CliContext,
    tracking_number: Number,
    until: Annotated[
        str | None, typer.Option(help="End at this status, too.", autocompletion=statuses)
    ] = None,
) -> None:
    """Print the status, and each change of it as it comes, until the shipment is delivered or cancelled."""
    for change in context.client.shipments.stream(tracking_number):
        if context.as_json:
            context.show_line(change)
        else:
            context.show_line(f"version {change.version}  {change.current_status}")
        if change.current_status in _ENDED or change.current_status == until:
            return


def _read(path: str, *, instead_of: dict[str, Any]) -> dict[str, Any]:
    if instead_of:
        raise Misused(f"--file and {_option(next(iter(instead_of)))} exclude each other")
    body = json_object(path)
    if unknown := body.keys() & _ARGUMENTS:
        raise Misused(f"{path}: {', '.join(sorted(unknown))}: no field of a shipment, but an option")
    return body


def _option(field: str) -> str:
    return f"--{field.replace('_', '-')}"
