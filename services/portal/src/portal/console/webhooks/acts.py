"""Acts on an endpoint: test it, pause and resume it, give it a new secret, replay deliveries, delete it."""

from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.access.permissions import Permission
from domain.webhooks.endpoint import EndpointState
from portal.console.api import ApiRejected, path_to
from portal.console.frame import api, console_page, see
from portal.console.rejection import rejection_of
from portal.console.webhooks.deliveries import attempt_row
from portal.console.webhooks.editing import SecretView
from portal.console.webhooks.one import endpoint_page
from portal.console.webhooks.replays import start_replay
from portal.web.forms import Several, read_form
from portal.web.rendering import render

LIST: Final = "/console/webhooks"
_HOUR_S: Final = 3_600


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlainAct(_Form):
    """An act that needs no further word."""

    act: Literal["test", "pause", "resume", "delete"]


class Rotation(_Form):
    """Give the endpoint a new secret; that of before signs too, for some hours."""

    act: Literal["rotate"]
    grace_h: Annotated[int, Field(ge=0, le=168)]


class Replay(_Form):
    """Send the deliveries of a period again, those in these states."""

    act: Literal["replay"]
    start: Annotated[str, Field(max_length=40)]
    end: Annotated[str, Field(max_length=40)]
    states: Several


_FORM: Final[TypeAdapter[PlainAct | Rotation | Replay]] = TypeAdapter(
    Annotated[PlainAct | Rotation | Replay, Field(discriminator="act")]
)


@console_page(Permission.WEBHOOK_MANAGE)
async def act_on_endpoint(request: web.Request) -> web.Response:
    """Do what the form asks for."""
    form = await read_form(request, _FORM)
    try:
        match form:
            case Rotation():
                return await _rotated(request, form)
            case Replay():
                return await _replayed(request, form)
            case PlainAct():
                return await _ACTS[form.act](request)
    except ApiRejected as error:
        return await endpoint_page(request, rejection=rejection_of(error))


async def _test(request: web.Request) -> web.Response:
    """Send a test message and show how that ended; the page is not a redirect."""
    return await endpoint_page(request, test=attempt_row(await api(request).post(f"{_path(request)}/test")))


async def _pause(request: web.Request) -> web.Response:
    await api(request).patch(_path(request), {"state": EndpointState.PAUSED.value})
    return see(request, f"/console{_path(request)}", notice="webhook_paused")


async def _resume(request: web.Request) -> web.Response:
    await api(request).patch(_path(request), {"state": EndpointState.ACTIVE.value})
    return see(request, f"/console{_path(request)}", notice="webhook_resumed")


async def _delete(request: web.Request) -> web.Response:
    await api(request).delete(_path(request))
    return see(request, LIST, notice="webhook_deleted")


_ACTS: Final = {"test": _test, "pause": _pause, "resume": _resume, "delete": _delete}


async def _rotated(request: web.Request, form: Rotation) -> web.Response:
    endpoint = await api(request).get(_path(request))
    rotated = await api(request).post(f"{_path(request)}/secret/rotate", {"grace_s": form.grace_h * _HOUR_S})
    view = SecretView(endpoint["id"], endpoint["url"], rotated["secret"], is_new=False)
    return render(request, "console/webhooks/secret.html", view)


async def _replayed(request: web.Request, form: Replay) -> web.Response:
    path = _path(request)
    replay_id = await start_replay(api(request), path, form.start, form.end, form.states)
    return see(request, f"/console{path}/replays/{replay_id}")


def _path(request: web.Request) -> str:
    return path_to("webhooks", request.match_info["endpoint_id"])
