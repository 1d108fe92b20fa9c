"""Acts on a shipment: cancel it, take its last event back, make and remove links."""

from http import HTTPStatus
from typing import Annotated, Final, Literal

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.access.permissions import Permission
from httpkit.request.preconditions import version_tag
from portal.console.api import ApiRejected, ApiResponse, UserApi, path_to
from portal.console.frame import api, console_page, see
from portal.console.rejection import rejection_of
from portal.console.shipments.links import make_link
from portal.console.shipments.one import shipment_page
from portal.web.forms import read_form

_WAIT: Final = {"Prefer": "wait=10"}


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Cancellation(_Form):
    """Cancel the shipment, in the version that the user has looked at."""

    act: Literal["cancel"]
    version: Annotated[int, Field(ge=1)]


class Retraction(_Form):
    """Take the last event back."""

    act: Literal["retract"]
    event_id: Annotated[str, Field(max_length=300)]
    reason: Annotated[str, Field(max_length=1_000)]


class LinkCreation(_Form):
    """Make a link, and show its address this once."""

    act: Literal["make_link"]


class LinkRemoval(_Form):
    """Remove a link: its address then shows no more than the number alone."""

    act: Literal["remove_link"]
    link_id: Annotated[str, Field(max_length=64)]


_FORM: Final[TypeAdapter[Cancellation | Retraction | LinkCreation | LinkRemoval]] = TypeAdapter(
    Annotated[Cancellation | Retraction | LinkCreation | LinkRemoval, Field(discriminator="act")]
)


@console_page(Permission.SHIPMENT_READ)
async def act_on_shipment(request: web.Request) -> web.Response:
    """Do what the form asks for; whether the user may is the API's decision."""
    form = await read_form(request, _FORM)
    number = request.match_info["tracking_number"]
    try:
        if isinstance(form, LinkCreation):
            return await shipment_page(request, new_link=await make_link(api(request), number))
        notice = await _done(api(request), number, form)
    except ApiRejected as error:
        return await shipment_page(request, rejection=rejection_of(error))
    return see(request, path_to("console", "shipments", number), notice=notice)


async def _done(api: UserApi, number: str, form: Cancellation | Retraction | LinkRemoval) -> str:
    """Do it, and return the notice of that."""
    match form:
        case Cancellation():
            headers = {hdrs.IF_MATCH: version_tag(form.version), **_WAIT}
            cancelled = await api.call("DELETE", path_to("shipments", number), headers=headers)
            return _notice("cancelled", cancelled)
        case Retraction():
            path = path_to("events", form.event_id, "retract")
            retracted = await api.call("POST", path, body={"reason": form.reason}, headers=_WAIT)
            return _notice("retracted", retracted)
        case LinkRemoval():
            await api.delete(path_to("shipments", number, "links", form.link_id))
            return "link_removed"


def _notice(done: str, response: ApiResponse) -> str:
    """Return the notice of an act that may have no outcome yet: it is accepted, and will show up."""
    return done if response.status == HTTPStatus.OK else "accepted"
