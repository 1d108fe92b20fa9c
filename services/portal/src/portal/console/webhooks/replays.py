"""Replays: how many deliveries one would concern, its start, and how far it has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from domain.access.permissions import Permission
from domain.webhooks.delivery import DeliveryState, ReplayState
from portal.console.api import ApiRejected, Json, UserApi, path_to
from portal.console.frame import api, console_page
from portal.console.rejection import Rejection, rejection_of
from portal.web.rendering import render

REPLAYABLE: Final = (DeliveryState.FAILED, DeliveryState.HELD, DeliveryState.DELIVERED)
DEFAULT_STATES: Final = (DeliveryState.FAILED, DeliveryState.HELD)


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """The second look at a replay.

    Attributes:
        start: in UTC, as a form has it; empty: not given yet.
        end: likewise; the deliveries were made before it.
        states: that are chosen.
        choices: all that can be chosen.
        counts: number of deliveries in each chosen state; None: the period is missing or wrong.
        rejection: why they could not be counted.
    """

    start: str
    end: str
    states: tuple[str, ...]
    choices: tuple[DeliveryState, ...]
    counts: Mapping[str, int] | None
    rejection: Rejection | None

    @property
    def total(self) -> int:
        """Number of all deliveries that would be sent again."""
        return sum((self.counts or {}).values())


@dataclass(frozen=True, slots=True)
class ReplayView:
    """The page of a replay.

    Attributes:
        is_done: none of its deliveries waits any more.
    """

    replay_id: str
    endpoint_id: str
    start: str
    end: str
    states: tuple[str, ...]
    matched: int
    sent: int
    failed: int
    created_at: str
    is_done: bool


async def plan_replay(request: web.Request, path: str) -> ReplayPlan:
    """Return how many deliveries a replay would concern, by the period and the states of the address."""
    start, end = request.query.get("start", ""), request.query.get("end", "")
    asked = request.query.getall("states", [])
    states = tuple(each for each in REPLAYABLE if each in asked) or DEFAULT_STATES
    counts, rejection = None, None
    if start and end:
        try:
            counts = await _counts(
                api(request), path, {"from": instant_of(start), "to": instant_of(end)}, states
            )
        except ApiRejected as error:
            rejection = rejection_of(error)
    return ReplayPlan(start, end, states, REPLAYABLE, counts, rejection)


async def _counts(
    api: UserApi, path: str, period: Mapping[str, str], states: Sequence[DeliveryState]
) -> dict[str, int]:
    counts = {}
    for state in states:
        page = await api.list_page(f"{path}/deliveries", limit=1, state=state.value, **period)
        counts[state.value] = page.total
    return counts


async def start_replay(api: UserApi, path: str, start: str, end: str, states: Sequence[str]) -> str:
    """Start a replay of the endpoint at `path`; return its id."""
    body = {"from": instant_of(start), "to": instant_of(end), "states": list(states)}
    return str((await api.post(f"{path}/replays", body))["id"])


@console_page(Permission.WEBHOOK_READ)
async def show_replay(request: web.Request) -> web.Response:
    """Show how far a replay has come."""
    endpoint_id, replay_id = request.match_info["endpoint_id"], request.match_info["replay_id"]
    replay = await api(request).get(path_to("webhooks", endpoint_id, "replays", replay_id))
    return render(request, "console/webhooks/replay.html", _view_of(replay))


def instant_of(text: str) -> str:
    """Return what a field for date and time has, which is meant in UTC, as RFC 3339."""
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%dT%H:%M:%SZ}"
    except ValueError:
        return text  # the API says that it is none


def _view_of(replay: Json) -> ReplayView:
    return ReplayView(
        replay_id=replay["id"],
        endpoint_id=replay["endpoint_id"],
        start=replay["from"],
        end=replay["to"],
        states=tuple(replay["states"]),
        matched=replay["matched"],
        sent=replay["sent"],
        failed=replay["failed"],
        created_at=replay["created_at"],
        is_done=replay["state"] == ReplayState.DONE,
    )
