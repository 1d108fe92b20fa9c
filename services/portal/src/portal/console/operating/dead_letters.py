"""Pages of dead letters: a list by reason, one with its bytes, and the second look before an act."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import web

from domain.access.permissions import Permission
from domain.processing.dead_letter import DeadLetterState
from domain.timestamps import format_timestamp
from portal.console.api import ApiRejected, Json, UserApi, path_to
from portal.console.frame import api, console_page
from portal.console.operating.dead_letter_sets import (
    MOST_AT_ONCE,
    Filter,
    Selection,
    filter_of,
    is_reachable,
)
from portal.console.operating.hex_lines import HexLine, hex_lines
from portal.console.rejection import Rejection
from portal.web.languages import message
from portal.web.rendering import render
from servicekit.clock import SystemClock

PATH: Final = "/console/dead-letters"
ACTS: Final = ("replay", "discard")
TYPED_FROM: Final = 100
"""From so many on, the second look asks for their number."""
PAGE: Final = 50
REASONS: Final[Mapping[str, str]] = {
    "unreadable": message("Unreadable: the record is malformed"),
    "unprocessable": message("Unprocessable: the processor failed on it"),
    "quarantined": message("Quarantined: its shipment is in quarantine"),
}
STATES: Final = (*DeadLetterState, "all")


@dataclass(frozen=True, slots=True)
class Group:
    """Open dead letters of one reason."""

    reason: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class SecondLook:
    """The question before an act.

    Attributes:
        act: `replay` or `discard`.
        selection: the dead letters.
        count: how many they are in all.
        reason: for discarding, as it was typed.
        problem: of what was typed.
    """

    act: str
    selection: Selection
    count: int
    reason: str = ""
    problem: str | None = None

    @property
    def concerned(self) -> int:
        """Number of those that the act concerns: the oldest, if they are too many for one."""
        return min(self.count, MOST_AT_ONCE)

    @property
    def is_possible(self) -> bool:
        """True if the API reaches the oldest of them."""
        return is_reachable(self.count)

    @property
    def must_type(self) -> bool:
        """True if their number must be typed."""
        return self.concerned >= TYPED_FROM


@dataclass(frozen=True, slots=True)
class DeadLettersView:
    """The page of dead letters.

    Attributes:
        rows: of this page of the list, newest first.
        look: the question before an act; None: none is asked for.
        selected: ids that are checked.
        is_nothing_selected: an act was asked for without any.
    """

    groups: Sequence[Group]
    matching: Filter
    rows: Sequence[Json]
    total: int
    next_cursor: str | None
    look: SecondLook | None
    selected: frozenset[str]
    is_nothing_selected: bool
    states: Sequence[str] = STATES
    reasons: Sequence[str] = tuple(REASONS)


@dataclass(frozen=True, slots=True)
class DeadLetterView:
    """The page of one dead letter.

    Attributes:
        lines: the beginning of its value as hexadecimal digits; empty: it is older than their recording.
        event: the outcome of its event; None: there is none.
        actions: of operators on it, newest first.
    """

    one: Json
    label: str
    lines: Sequence[HexLine]
    event: Json | None
    actions: Sequence[Json]
    look: SecondLook | None
    rejection: Rejection | None = None


@console_page(Permission.DEAD_LETTER_READ)
async def show_dead_letters(request: web.Request) -> web.StreamResponse:
    """Show the list, and with `?act=replay` or `?act=discard` the second look."""
    return await list_response(request, filter_of(request.query), _look_of(request))


@console_page(Permission.DEAD_LETTER_READ)
async def show_dead_letter(request: web.Request) -> web.StreamResponse:
    """Show one dead letter."""
    user_api, own_id = api(request), request.match_info["dead_letter_id"]
    one = await user_api.get(path_to("dead-letters", own_id))
    event, history = await asyncio.gather(
        _event_of(user_api, one), user_api.list_page("/operator-actions", target=own_id, limit=20)
    )
    act, only = request.query.get("act"), Selection((own_id,), Filter())
    view = DeadLetterView(
        one=one,
        label=REASONS.get(one["reason"], one["reason"]),
        lines=hex_lines(one.get("value_hex", "")),
        event=event,
        actions=history.data,
        look=SecondLook(act, only, 1) if act in ACTS else None,
    )
    return render(request, "console/dead_letter.html", view)


async def list_response(
    request: web.Request, matching: Filter, asked: SecondLook | None, status: int = HTTPStatus.OK
) -> web.Response:
    """Return the list, with the second look before an act if one is asked for."""
    user_api = api(request)
    cursor = request.query.get("cursor")
    page, *totals = await asyncio.gather(
        user_api.list_page("/dead-letters", limit=PAGE, cursor=cursor, **matching.query()),
        *(user_api.list_page("/dead-letters", limit=1, state="open", reason=each) for each in REASONS),
    )
    groups = [
        Group(reason, label, found.total)
        for (reason, label), found in zip(REASONS.items(), totals, strict=True)
    ]
    view = DeadLettersView(
        groups=groups,
        matching=matching,
        rows=page.data,
        total=page.total,
        next_cursor=page.next_cursor,
        look=None if asked is None else await _counted(user_api, asked),
        selected=frozenset(() if asked is None else asked.selection.ids),
        is_nothing_selected=asked is None and request.query.get("act") in ACTS,
    )
    return render(request, "console/dead_letters.html", view, status=status)


def _look_of(request: web.Request) -> SecondLook | None:
    """Return the second look that the address asks for; what comes later does not match."""
    act, _, scope = request.query.get("act", "").partition("-")
    ids = tuple(dict.fromkeys(request.query.getall("id", ())))
    if act not in ACTS or not (ids or scope == "all"):
        return None
    matching = filter_of(request.query)
    if scope == "all":
        now = format_timestamp(SystemClock().now())
        return SecondLook(act, Selection((), filter_of({"to": now, **_without_empty(request)})), 0)
    return SecondLook(act, Selection(ids, matching), len(ids))


def _without_empty(request: web.Request) -> dict[str, str]:
    return {name: value for name, value in request.query.items() if value}


async def _counted(user_api: UserApi, asked: SecondLook) -> SecondLook:
    count = await asked.selection.count(user_api)
    return SecondLook(asked.act, asked.selection, count, asked.reason, asked.problem)


async def _event_of(user_api: UserApi, one: Json) -> Json | None:
    if one["event_id"] is None:
        return None
    try:
        return await user_api.get(path_to("events", one["event_id"]))
    except ApiRejected as rejected:
        if rejected.status == HTTPStatus.NOT_FOUND:
            return None
        raise
