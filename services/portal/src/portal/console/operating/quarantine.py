"""The page of quarantined shipments: adding one, and releasing one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.access.permissions import Permission
from portal.console.api import ApiRejected, Json, path_to
from portal.console.frame import api, console_page, see
from portal.console.operating.sorting import Sorting, sorting_of
from portal.console.rejection import Rejection, rejection_of
from portal.web.forms import read_form
from portal.web.rendering import render

PATH: Final = "/console/quarantine"


class QuarantineForm(BaseModel):
    """The form that quarantines or releases a shipment."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    tracking_number: Annotated[str, Field(max_length=40)]
    reason: Annotated[str, Field(max_length=2_000)] = ""


_FORM: Final = TypeAdapter(QuarantineForm)


@dataclass(frozen=True, slots=True)
class SecondLook:
    """The question before a shipment is quarantined or released.

    Attributes:
        act: `add` or `release`.
        shipment: its status, as the API shows it; None: there is no such shipment.
        dead_letters: how many of its dead letters are open.
    """

    act: str
    tracking_number: str
    reason: str
    shipment: Json | None
    dead_letters: int


@dataclass(frozen=True, slots=True)
class QuarantineView:
    """The page of quarantined shipments."""

    entries: Sequence[Json]
    sorting: Sorting
    tracking_number: str = ""
    reason: str = ""
    look: SecondLook | None = None
    rejection: Rejection | None = None


SORTS: Final[Mapping[str, Callable[[Json], Any]]] = {
    "since": lambda each: each["since"],
    "shipment": lambda each: each["tracking_number"],
    "by": lambda each: each["requested_by"],
}


@console_page(Permission.QUARANTINE_READ)
async def show_quarantine(request: web.Request) -> web.StreamResponse:
    """Show the quarantined shipments, and with `?act=add` or `?act=release` the second look."""
    query = request.query
    number, reason = query.get("tracking_number", "").strip(), query.get("reason", "").strip()
    act = query.get("act")
    if act not in ("add", "release") or not number:
        return await _page(request)
    try:
        look = await _look_at(request, act, number, reason)
    except ApiRejected as rejected:
        return await _page(request, number, reason, rejected=rejected)
    return await _page(request, number, reason, look=look)


@console_page(Permission.QUARANTINE_MANAGE)
async def add(request: web.Request) -> web.StreamResponse:
    """Quarantine a shipment."""
    form = await read_form(request, _FORM)
    try:
        await api(request).put(path_to("quarantine", form.tracking_number), {"reason": form.reason})
    except ApiRejected as rejected:
        return await _page(request, form.tracking_number, form.reason, rejected=rejected)
    return see(request, PATH, notice="quarantined")


@console_page(Permission.QUARANTINE_MANAGE)
async def release(request: web.Request) -> web.StreamResponse:
    """Release a shipment."""
    form = await read_form(request, _FORM)
    try:
        await api(request).delete(path_to("quarantine", form.tracking_number))
    except ApiRejected as rejected:
        return await _page(request, rejected=rejected)
    return see(request, PATH, notice="released")


async def _look_at(request: web.Request, act: str, number: str, reason: str) -> SecondLook:
    user_api = api(request)
    dead_letters = await user_api.list_page("/dead-letters", limit=1, state="open", tracking_number=number)
    try:
        shipment = await user_api.get(path_to("shipments", number))
    except ApiRejected as rejected:
        if rejected.status != HTTPStatus.NOT_FOUND:
            raise
        shipment = None
    return SecondLook(act, number, reason, shipment, dead_letters.total)


async def _page(
    request: web.Request,
    number: str = "",
    reason: str = "",
    *,
    look: SecondLook | None = None,
    rejected: ApiRejected | None = None,
) -> web.Response:
    sorting = sorting_of(request, SORTS, "-since")
    entries = sorting.sorted((await api(request).get("/quarantine"))["data"], SORTS)
    rejection = None if rejected is None else rejection_of(rejected)
    view = QuarantineView(entries, sorting, number, reason, look, rejection)
    status = HTTPStatus.OK if rejection is None else rejection.status
    return render(request, "console/quarantine.html", view, status=status)
