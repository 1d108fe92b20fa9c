"""`webhooks`: endpoints of clients, with their deliveries and replays."""

import time
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from operations.cli_context import CliContext
from operations.errors import Interrupted
from operations.options import Deployment, expanded
from operations.waybill import Json, path_to

app: Final = typer.Typer(
    name="webhooks", no_args_is_help=True, help="Endpoints of clients, with their deliveries and replays."
)

Endpoint = Annotated[str, typer.Argument(help="Its id, such as wh_mfzwi3ldpn5xk2lqnrsw.")]
DeliveryOrReplay = Annotated[
    str | None, typer.Argument(help="A delivery of it (msg_…), or a replay (rp_…).", metavar="[ID]")
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

    def body(self) -> Json:
        """Return the body of the request."""
        body: Json = {"from": self.since, "to": self.until}
        given = {"states": self.state, "types": self.type}
        return body | {name: values for name, values in given.items() if values}


@app.command("list")
@expanded
def show_list(deployment: Deployment, filters: EndpointFilter) -> None:
    """List endpoints, newest first."""
    context = CliContext(deployment)
    pages = context.waybill.pages("/webhooks", client_id=filters.client_id, state=filters.state)
    context.show_some(pages, _ENDPOINTS, limit=filters.limit)


@app.command()
@expanded
def show(deployment: Deployment, endpoint: Endpoint, part: DeliveryOrReplay = None) -> None:
    """Show an endpoint, one of its deliveries with all attempts, or how far a replay has come."""
    context = CliContext(deployment)
    if part is None:
        context.show(context.waybill.get(path_to("webhooks", endpoint)))
        return
    if part.startswith(_REPLAY):
        context.show(context.waybill.get(path_to("webhooks", endpoint, "replays", part)))
        return
    delivery = context.waybill.get(path_to("webhooks", endpoint, "deliveries", part))
    if context.as_json:
        context.show(delivery)
        return
    attempts = delivery.pop("attempts")
    context.show(delivery)
    context.show_list(attempts, _ATTEMPTS)


@app.command()
@expanded
def pause(deployment: Deployment, endpoint: Endpoint) -> None:
    """Pause an endpoint: what falls due is held for seven days."""
    _set_state(deployment, endpoint, "paused")


@app.command()
@expanded
def resume(deployment: Deployment, endpoint: Endpoint) -> None:
    """Resume an endpoint; what was held is sent by `replay` only."""
    _set_state(deployment, endpoint, "active")


@app.command()
@expanded
def test(deployment: Deployment, endpoint: Endpoint) -> None:
    """Send one test message to an endpoint, paused or not, and show how that ended."""
    context = CliContext(deployment)
    context.show(context.waybill.post(path_to("webhooks", endpoint, "test")))


@app.command()
@expanded
def rotate(
    deployment: Deployment,
    endpoint: Endpoint,
    grace_s: Annotated[
        int, typer.Option(min=0, help="Seconds for which the secret of before signs, too.")
    ] = 86_400,
) -> None:
    """Give an endpoint a new secret, and show it this once."""
    context = CliContext(deployment)
    context.show(
        context.waybill.post(path_to("webhooks", endpoint, "secret", "rotate"), {"grace_s": grace_s})
    )


@app.command()
@expanded
def deliveries(deployment: Deployment, filters: DeliveryFilter, endpoint: Endpoint) -> None:
    """List the deliveries of an endpoint, newest first; the result is that of the last attempt."""
    context = CliContext(deployment)
    query = {"state": filters.state, "type": filters.type, "from": filters.since, "to": filters.until}
    pages = context.waybill.pages(path_to("webhooks", endpoint, "deliveries"), **query)
    if not context.as_json:
        pages = ([_with_result(each) for each in page] for page in pages)
    context.show_some(pages, _DELIVERIES, limit=filters.limit)


@app.command()
@expanded
def retry(
    deployment: Deployment,
    endpoint: Endpoint,
    delivery: Annotated[str, typer.Argument(help="Its id, msg_…")],
) -> None:
    """Send one delivery again, now, and then by the schedule."""
    context = CliContext(deployment)
    context.show(context.waybill.post(path_to("webhooks", endpoint, "deliveries", delivery, "retry")))


@app.command()
@expanded
def replay(deployment: Deployment, which: Replayed, endpoint: Endpoint) -> None:
    """Send the deliveries of a period again: failed and held ones, where no state is given."""
    context = CliContext(deployment)
    started = context.waybill.post(path_to("webhooks", endpoint, "replays"), which.body())
    context.show(_finished(context, endpoint, started) if which.wait else started)
    if not which.wait:
        context.say(f"it runs by itself: `webhooks show {endpoint} {started['id']}` says how far it has come")


def _finished(context: CliContext, endpoint: str, replay: Json) -> Json:
    path = path_to("webhooks", endpoint, "replays", str(replay["id"]))
    try:
        while replay["state"] != _DONE:
            time.sleep(_POLL_S)
            replay = context.waybill.get(path)
            context.say(f"{replay['matched']} found, {replay['sent']} sent, {replay['failed']} failed")
    except KeyboardInterrupt:
        raise Interrupted(f"not waiting any more; {replay['id']} runs by itself") from None
    return replay


def _set_state(deployment: Deployment, endpoint: str, state: str) -> None:
    context = CliContext(deployment)
    context.show(context.waybill.patch(path_to("webhooks", endpoint), {"state": state}))


def _with_result(delivery: Json) -> Json:
    last = delivery["last_attempt"]
    result = None if last is None else last["error"] or last["status_code"]
    if result == "status":
        result = last["status_code"]
    return delivery | {"result": result}
