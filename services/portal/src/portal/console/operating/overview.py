"""The overview: is it well, and if not, which page fixes it; and the figures of the last hour."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from aiohttp import web

from domain.access.permissions import Permission
from portal.console.api import CallFailed, LoggedOut, UserApi
from portal.console.charts.line_chart import Chart, Line, Text, line_chart
from portal.console.frame import api, console_page
from portal.console.metrics.figures import SPAN_S, Figures, Quantity
from portal.console.metrics.source import FIGURES
from portal.web.languages import message
from portal.web.rendering import render

PATH: Final = "/console/overview"
REFRESH_S: Final = 5
MEASURING_S: Final = 12.0
"""Time that the first two samples take."""

_MS: Final = 1_000


class Known(NamedTuple):
    """A number of the API: its value, or why it is unknown."""

    value: int | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """The state of the system, as the API shows it now.

    Attributes:
        down: checks of `/health` that are not ok; None: unknown.
        halted: partitions that wait for an operator.
        dead_letters: open ones.
        quarantined: shipments.
    """

    down: Sequence[str] | None
    halted: Known
    dead_letters: Known
    quarantined: Known

    @property
    def is_well(self) -> bool:
        """True if everything is known, and nothing waits for an operator."""
        return self.down == () and self.halted.value == 0 and self.dead_letters.value == 0


class Tile(NamedTuple):
    """A figure with its unit and its age.

    Attributes:
        label, unit: messages.
        value: None: unknown.
        at: when it was measured, in seconds since 1970; None: unknown.
        why: it is unknown, as a message.
    """

    label: str
    unit: str
    value: float | None
    at: float | None
    why: str


@dataclass(frozen=True, slots=True)
class OverviewView:
    """The page of the overview.

    Attributes:
        at: when the state was asked for, in seconds since 1970.
        source: of the figures: `prometheus`, `services` or `none`.
        problems: of the figures.
    """

    state: State
    at: float
    tiles: Sequence[Tile]
    charts: Sequence[Chart]
    source: str
    problems: Sequence[str]
    refresh_s: int = REFRESH_S


_NOT_MEASURED: Final = message("not measured")
_BEING_MEASURED: Final = message("being measured")
_NO_EVENTS: Final = message("no events in the last minute")
_NOT_SAID: Final = message("the services do not say")
_PER_SECOND: Final = message("per second")
_MILLISECONDS: Final = message("ms")
_RECORDS: Final = message("records")
_TILES: Final = (
    (Quantity.ACCEPTED, message("Events accepted"), _PER_SECOND, 1),
    (Quantity.APPLIED, message("Events applied"), _PER_SECOND, 1),
    (Quantity.P50, message("Accepted to applied, half within"), _MILLISECONDS, _MS),
    (Quantity.P99, message("Accepted to applied, 99 %% within"), _MILLISECONDS, _MS),
    (Quantity.LAG, message("Waiting records"), _RECORDS, 1),
)
_CHARTS: Final = (
    (
        Text("throughput", message("Throughput"), message("Events accepted and applied."), _PER_SECOND),
        ((Quantity.ACCEPTED, message("accepted"), 1), (Quantity.APPLIED, message("applied"), 1)),
    ),
    (
        Text("outcomes", message("Not applied"), message("Events rejected and dead-lettered."), _PER_SECOND),
        ((Quantity.REJECTED, message("rejected"), 1), (Quantity.DEAD, message("dead-lettered"), 1)),
    ),
    (
        Text(
            "latency",
            message("Latency"),
            message("From the acceptance of an event to the transaction with its outcome."),
            _MILLISECONDS,
        ),
        ((Quantity.P50, message("half within"), _MS), (Quantity.P99, message("99 %% within"), _MS)),
    ),
    (
        Text("lag", message("Lag"), message("Records in the log that are not applied yet."), _RECORDS),
        ((Quantity.LAG, message("waiting"), 1),),
    ),
)


@console_page(Permission.PARTITION_READ)
async def show_overview(request: web.Request) -> web.StreamResponse:
    """Show the overview."""
    return render(request, "console/overview.html", await _view(request))


@console_page(Permission.PARTITION_READ)
async def show_live_part(request: web.Request) -> web.StreamResponse:
    """Show the part of the overview that refreshes itself."""
    return render(request, "console/partials/overview_live.html", await _view(request))


async def state_of(user_api: UserApi) -> State:
    """Ask for the state of the system; what cannot be had is unknown, and says why."""

    async def halted() -> int:
        return sum(each["halted"] for each in (await user_api.get("/partitions"))["data"])

    async def dead_letters() -> int:
        return (await user_api.list_page("/dead-letters", limit=1, state="open")).total

    async def quarantined() -> int:
        return len((await user_api.get("/quarantine"))["data"])

    return State(
        *await asyncio.gather(
            _down(user_api), _known(halted()), _known(dead_letters()), _known(quarantined())
        )
    )


async def _view(request: web.Request) -> OverviewView:
    state, figures = await asyncio.gather(state_of(api(request)), request.app[FIGURES].figures())
    now = time.time()
    return OverviewView(
        state=state,
        at=now,
        tiles=[_tile(figures, now, *each) for each in _TILES],
        charts=[_chart(figures, now, text, lines) for text, lines in _CHARTS],
        source=figures.source,
        problems=figures.problems,
    )


async def _down(user_api: UserApi) -> Sequence[str] | None:
    """Return the checks that are not ok; the API says so with 503."""
    try:
        checks = (await user_api.get("/health")).get("checks")
    except CallFailed as failed:
        checks = failed.body.get("checks")
    if not isinstance(checks, dict):
        return None
    return tuple(name for name, found in checks.items() if found != "ok")


async def _known(asked: Awaitable[int]) -> Known:
    try:
        return Known(await asked)
    except LoggedOut:
        raise
    except CallFailed as failed:
        return Known(None, failed.message)


def _tile(figures: Figures, now: float, quantity: Quantity, *texts: str | int) -> Tile:
    label, unit, factor = texts
    point = figures.latest(quantity, now=now)
    known = None if point is None or point.value is None else point.value * float(factor)
    at = None if point is None else point.at
    return Tile(str(label), str(unit), known, at, _reason(figures, now, quantity))


def _reason(figures: Figures, now: float, quantity: Quantity) -> str:
    """Return why a quantity is unknown, where it is."""
    if figures.since is None:
        return _NOT_MEASURED
    if now - figures.since < MEASURING_S:
        return _BEING_MEASURED
    return _NO_EVENTS if quantity in (Quantity.P50, Quantity.P99) else _NOT_SAID


def _chart(figures: Figures, now: float, text: Text, lines: Sequence[tuple[Quantity, str, int]]) -> Chart:
    drawn = [
        Line(
            label,
            [
                each._replace(value=None if each.value is None else each.value * factor)
                for each in figures.of(of)
            ],
        )
        for of, label, factor in lines
    ]
    return line_chart(text, drawn, now=now, since=figures.since, span_s=SPAN_S)
