"""The form of an endpoint: to make one, whose secret is shown this once, and to change one."""

from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.access.permissions import Permission
from domain.webhooks.endpoint import ALL_TYPES, Ordering, Payload
from domain.webhooks.message import MESSAGE_TYPES
from portal.console.api import ApiRejected, Json, path_to
from portal.console.frame import api, console_page, see, session
from portal.console.rejection import Rejection, rejection_of
from portal.web.forms import Several, read_form
from portal.web.rendering import render


class EndpointForm(BaseModel):
    """An endpoint as its form has it: all are texts, and empty ones are not given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(max_length=4_000)] = ""
    types: Several = ()
    payload: str = Payload.FULL.value
    ordering: str = Ordering.NONE.value
    rate_per_s: Annotated[str, Field(max_length=40)] = ""
    description: Annotated[str, Field(max_length=1_000)] = ""
    client_id: Annotated[str, Field(max_length=200)] = ""


@dataclass(frozen=True, slots=True)
class EndpointFormView:
    """The page with the form.

    Attributes:
        endpoint_id: of the one that is changed; None: a new one.
        form: what stands in it.
        types: to choose from.
        asks_client: the endpoint's client is to be said.
        rejection: why it was not taken.
    """

    endpoint_id: str | None
    form: EndpointForm
    types: tuple[str, ...]
    asks_client: bool
    rejection: Rejection | None


@dataclass(frozen=True, slots=True)
class SecretView:
    """The page that shows a secret, this once.

    Attributes:
        is_new: of a new endpoint; else the secret was rotated.
    """

    endpoint_id: str
    url: str
    secret: str
    is_new: bool


_FORM: Final = TypeAdapter(EndpointForm)


@console_page(Permission.WEBHOOK_MANAGE)
async def show_new_endpoint(request: web.Request) -> web.Response:
    """Show the form of a new endpoint."""
    return _form_page(request, EndpointForm(types=ALL_TYPES, client_id=request.query.get("client_id", "")))


@console_page(Permission.WEBHOOK_MANAGE)
async def create_endpoint(request: web.Request) -> web.Response:
    """Make an endpoint, and show its secret."""
    form = await read_form(request, _FORM)
    body = _body_of(form)
    if form.client_id:
        body["client_id"] = form.client_id
    try:
        made = await api(request).post("/webhooks", body)
    except ApiRejected as error:
        return _form_page(request, form, rejection=rejection_of(error))
    view = SecretView(made["id"], made["url"], made["secret"], is_new=True)
    return render(request, "console/webhooks/secret.html", view)


@console_page(Permission.WEBHOOK_MANAGE)
async def show_endpoint_form(request: web.Request) -> web.Response:
    """Show the form of an endpoint that is there."""
    endpoint = await api(request).get(_path(request))
    return _form_page(request, _form_of(endpoint), endpoint_id=endpoint["id"])


@console_page(Permission.WEBHOOK_MANAGE)
async def change_endpoint(request: web.Request) -> web.Response:
    """Change an endpoint."""
    form = await read_form(request, _FORM)
    try:
        await api(request).patch(_path(request), _body_of(form))
    except ApiRejected as error:
        endpoint_id = request.match_info["endpoint_id"]
        return _form_page(request, form, endpoint_id=endpoint_id, rejection=rejection_of(error))
    return see(request, f"/console{_path(request)}", notice="webhook_changed")


def _form_page(
    request: web.Request,
    form: EndpointForm,
    *,
    endpoint_id: str | None = None,
    rejection: Rejection | None = None,
) -> web.Response:
    known = (*ALL_TYPES, *MESSAGE_TYPES)
    view = EndpointFormView(
        endpoint_id=endpoint_id,
        form=form,
        types=(*known, *(each for each in form.types if each not in known)),
        asks_client=endpoint_id is None and session(request).client_id is None,
        rejection=rejection,
    )
    status = 200 if rejection is None else rejection.status
    return render(request, "console/webhooks/form.html", view, status=status)


def _form_of(endpoint: Json) -> EndpointForm:
    rate = endpoint["rate_per_s"]
    return EndpointForm(
        url=endpoint["url"],
        types=tuple(endpoint["types"]),
        payload=endpoint["payload"],
        ordering=endpoint["ordering"],
        rate_per_s="" if rate is None else f"{rate:g}",
        description=endpoint["description"] or "",
    )


def _body_of(form: EndpointForm) -> Json:
    """Return the body of the request; in a change, null removes the rate and the description."""
    return {
        "url": form.url.strip(),
        "types": list(form.types) or None,
        "payload": form.payload,
        "ordering": form.ordering,
        "rate_per_s": _rate_of(form.rate_per_s),
        "description": form.description.strip() or None,
    }


def _rate_of(text: str) -> float | str | None:
    if not text.strip():
        return None
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text  # the API says that it is no number


def _path(request: web.Request) -> str:
    return path_to("webhooks", request.match_info["endpoint_id"])
