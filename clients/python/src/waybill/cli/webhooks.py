"""`webhooks`: endpoints of clients, with their deliveries and replays."""

import time
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from waybill.cli.context import CliContext, Json, to_json
from waybill.cli.errors import Interrupted, Misused
from waybill.cli.inputs import finite, segment
from waybill.cli.options import expanded
from waybill.models import ListedDelivery, WebhookReplay

app: Final = typer.Typer(
    name="webhooks", no_args_is_help=True, help="Endpoints of clients, with their deliveries and replays."
)

Endpoint = Annotated[str, typer.Argument(help="Its id, such as wh_mfzwi3ldpn5xk2lqnrsw.", parser=segment)]
DeliveryOrReplay = Annotated[
    str | None,
    typer.Argument(help="A delivery of it (msg_…), or a replay (rp_…).", metavar="[ID]", parser=segment),
]

_ENDPOINTS: Final = ("id", "client_id", "url", "state", "paused_reason", "failing_since", "types")
_DELIVERIES: Final = ("id", "created_at", "type", "tracking_number", "state", "next_attempt_at", "result")
_ATTEMPTS: Final = ("at", "status_code", "error", "duration_ms", "response")
_REPLAY: Final = "rp_"
_DONE: Final = "done"
_POLL_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class EndpointFilter:
    """Filter of endpoints."""

    client_id: Annotated[str | None, typer.Option(help="Of this client.")] = None
    state: Annotated[str | None, typer.Option(help="active or paused.")] = None
    limit: Annotated[int, typer.Option(min=1, help="Maximum number.")] = 20


@dataclass(frozen=True, slots=True)
class EndpointFields:
    """Messages that an endpoint receives, and how."""

    type: Annotated[
        list[str] | None, typer.Option(help="Such as shipment.delivered, or shipment.*; several times.")
    ] = None
    payload: Annotated[str | None, typer.Option(help="full or thin.")] = None
    ordering: Annotated[str | None, typer.Option(help="none or per_shipment.")] = None
    rate_per_s: Annotated[float | None, typer.Option(help="Requests per second, at most.", parser=finite)] = (
        None
    )
    description: Annotated[str | None, typer.Option(help="For people.")] = None

    def given(self) -> dict[str, Any]:
        """Return the fields that have a value, by the names of the API."""
        named = {
            "types": self.type or None,
            "payload": self.payload,
            "ordering": self.ordering,
            "rate_per_s": self.rate_per_s,
            "description": self.description,
        }
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Filter of deliveries."""

    state: Annotated[str | None, typer.Option(help="pending, delivered, failed or held.")] = None
    type: Annotated[str | None, typer.Option(help="Such as shipment.delivered, or shipment.*")] = None
    since: Annotated[str | None, typer.Option("--from", help="Created then or later (RFC 3339).")] = None
    until: Annotated[str | None, typer.Option("--to", help="Created before then (RFC 3339).")] = None
    limit: Annotated[int, typer.Option(min=1, help="Maximum number.")] = 20


@dataclass(frozen=True, slots=True)
class Replayed:
    """Deliveries that a replay sends again."""

    since: Annotated[str, typer.Option("--from", help="Created then or later (RFC 3339).")]
    until: Annotated[str, typer.Option("--to", help="Created before then (RFC 3339).")]
    state: Annotated[
        list[str] | None,
        typer.Option(help="failed, held or delivered; several times. By default the first two."),
    ] = None
    type: Annotated[list[str] | None, typer.Option(help="Such as shipment.delivered; several times.")] = None
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is done.")] = False


@app.command("list")
@expanded
def show_list(context: CliContext, filters: EndpointFilter) -> None:
    """List endpoints, newest first."""
    found = context.client.webhooks.list(client_id=filters.client_id, state=filters.state)
    context.show_some(found, _ENDPOINTS, limit=filters.limit)


@app.command()
@expanded
def create(
    context: CliContext,
    receiver: Annotated[str, typer.Argument(help="Where it listens: https://…", metavar="RECEIVER")],
    fields: EndpointFields,
    client_id: Annotated[str | None, typer.Option(help="For this client's shipments.")] = None,
) -> None:
    """Register an endpoint, and show its secret this once."""
    context.show(context.client.webhooks.create(receiver, client_id=client_id, **fields.given()))


@app.command()
@expanded
def change(
    context: CliContext,
    endpoint: Endpoint,
    fields: EndpointFields,
    receiver: Annotated[str | None, typer.Option(help="Where it listens now: https://…")] = None,
) -> None:
    """Change some fields of an endpoint."""
    changes = fields.given() | ({} if receiver is None else {"url": receiver})
    if not changes:
        raise Misused("nothing to change: give one of --receiver, --type, --payload, --ordering, …")
    context.show(context.client.webhooks.change(endpoint, **changes))


@app.command()
@expanded
def delete(context: CliContext, endpoint: Endpoint) -> None:
    """Delete an endpoint, with what it still had to receive."""
    context.client.webhooks.delete(endpoint)
    context.say(f"{endpoint} is deleted")


@app.command("get")
@app.command(hidden=True)
@expanded
def show(context: CliContext, endpoint: Endpoint, part: DeliveryOrReplay = None) -> None:
    """Show an endpoint, one of its deliveries with all attempts, or how far a replay has come."""
    if part is None:
        context.show(context.client.webhooks.get(endpoint))
        return
    if part.startswith(_REPLAY):
        context.show(context.client.webhooks.get_replay(endpoint, part))
        return
    delivery = context.client.webhooks.delivery(endpoint, part)
    if context.as_json:
        context.show(delivery)
        return
    fields = to_json(delivery)
    del fields["attempts"]
    context.show(fields)
    context.show_list(delivery.attempts, _ATTEMPTS)


@app.command()
@expanded
def pause(context: CliContext, endpoint: Endpoint) -> None:
    """Pause an endpoint: what falls due is held for seven days."""
    context.show(context.client.webhooks.change(endpoint, state="paused"))


@app.command()
@expanded
def resume(context: CliContext, endpoint: Endpoint) -> None:
    """Resume an endpoint; what was held is sent by `replay` only."""
    context.show(context.client.webhooks.change(endpoint, state="active"))


@app.command()
@expanded
def test(context: CliContext, endpoint: Endpoint) -> None:
    """Send one test message to an endpoint, paused or not, and show how that ended."""
    context.show(context.client.webhooks.test(endpoint))


@app.command()
@expanded
def rotate(
    context: CliContext,
    endpoint: Endpoint,
    grace_s: Annotated[
        int, typer.Option(min=0, help="Seconds for which the secret of before signs, too.")
    ] = 86_400,
) -> None:
    """Give an endpoint a new secret, and show it this once."""
    context.show({"secret": context.client.webhooks.rotate_secret(endpoint, grace_s=grace_s)})


@app.command()
@expanded
def deliveries(context: CliContext, filters: DeliveryFilter, endpoint: Endpoint) -> None:
    """List the deliveries of an endpoint, newest first; the result is that of the last attempt."""
    found = context.client.webhooks.deliveries(
        endpoint, state=filters.state, type=filters.type, from_=filters.since, to=filters.until
    )
    shown = found if context.as_json else map(_with_result, found)
    context.show_some(shown, _DELIVERIES, limit=filters.limit)


@app.command()
@expanded
def retry(
    context: CliContext,
    endpoint: Endpoint,
    delivery: Annotated[str, typer.Argument(help="Its id, msg_…", parser=segment)],
) -> None:
    """Send one delivery again, now, and then by the schedule."""
    context.show(context.client.webhooks.retry(endpoint, delivery))


@app.command()
@expanded
def replay(context: CliContext, which: Replayed, endpoint: Endpoint) -> None:
    """Send the deliveries of a period again: failed and held ones, where no state is given."""
    started = context.client.webhooks.replay(
        endpoint, which.since, which.until, states=which.state, types=which.type
    )
    context.show(_finished(context, endpoint, started) if which.wait else started)
    if not which.wait:
        context.say(f"it runs by itself: `webhooks show {endpoint} {started.id}` says how far it has come")


def _finished(context: CliContext, endpoint: str, replay: WebhookReplay) -> WebhookReplay:
    try:
        while replay.state != _DONE:
            time.sleep(_POLL_S)
            replay = context.client.webhooks.get_replay(endpoint, replay.id)
            context.say(f"{replay.matched} found, {replay.sent} sent, {replay.failed} failed")
    except KeyboardInterrupt:
        raise Interrupted(f"not waiting any more; {replay.id} runs by itself") from None
    return replay


def _with_result(delivery: ListedDelivery) -> Json:
    last = delivery.last_attempt
    result = None if last is None else last.error or last.status_code
    if last is not None and result == "status":
        result = last.status_code
    return to_json(delivery) | {"result": result}
