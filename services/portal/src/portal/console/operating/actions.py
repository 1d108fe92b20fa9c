"""The page of operator actions: who did what to what, when and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import web

from domain.access.operator_actions import ActionKind
from domain.access.permissions import Permission
from portal.console.api import ApiRejected, Json, ListPage
from portal.console.frame import api, console_page
from portal.console.rejection import Rejection, rejection_of
from portal.web.rendering import render

PATH: Final = "/console/actions"
FILTERS: Final = ("action", "target", "by", "from", "to")
PAGE: Final = 50
_NOTHING: Final = ListPage((), 0, None)
_PAGES: Final[Mapping[str, str]] = {
    "dead_letter": "/console/dead-letters/{}",
    "key": "/console/shipments/{}",
    "user": "/console/users/{}",
}


@dataclass(frozen=True, slots=True)
class ActionRow:
    """An action.

    Attributes:
        page: of its target, if there is one.
    """

    body: Json
    page: str | None


@dataclass(frozen=True, slots=True)
class ActionsView:
    """The page of actions.

    Attributes:
        filters: by name, as typed.
    """

    filters: Mapping[str, str]
    rows: Sequence[ActionRow]
    total: int
    next_cursor: str | None
    rejection: Rejection | None
    kinds: Sequence[str] = tuple(ActionKind)


@console_page(Permission.OPERATOR_ACTION_READ)
async def show_actions(request: web.Request) -> web.StreamResponse:
    """Show the actions that match, newest first."""
    filters = {name: request.query.get(name, "").strip() for name in FILTERS}
    page, rejection, cursor = _NOTHING, None, request.query.get("cursor")
    try:
        page = await api(request).list_page("/operator-actions", limit=PAGE, cursor=cursor, **filters)
    except ApiRejected as rejected:
        rejection = rejection_of(rejected)
    rows = [ActionRow(each, page_of(each["action"], each["target"])) for each in page.data]
    view = ActionsView(filters, rows, page.total, page.next_cursor, rejection)
    status = HTTPStatus.OK if rejection is None else rejection.status
    return render(request, "console/actions.html", view, status=status)


def page_of(action: str, target: str) -> str | None:
    """Return the page of an action's target; None: there is none."""
    thing, _, _ = action.partition(".")
    if thing == "partition":
        return f"/console/partitions/{target.rpartition('/')[2]}"
    pattern = _PAGES.get(thing)
    return None if pattern is None else pattern.format(target)
