"""One user: role, client, sources, password, keys, and the second look before they are changed."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.access.permissions import Permission, Role
from portal.console.accounts.users import UserRow, lines_of, user_row
from portal.console.api import ApiRejected, Json, UserApi, path_to
from portal.console.frame import api, console_page, see, session
from portal.console.rejection import Rejection, rejection_of
from portal.web.forms import read_form
from portal.web.rendering import render


@dataclass(frozen=True, slots=True)
class KeyRow:
    """An API key, without its text.

    Attributes:
        last_used_at: None: never.
    """

    key_id: str
    created_at: str
    last_used_at: str | None


@dataclass(frozen=True, slots=True)
class UserView:
    """The page of one user.

    Attributes:
        is_own: it is the reader.
        roles: to choose from.
        act: the act that is looked at a second time: disable or remove_key.
        target: the key that it concerns.
        new_key: text of the key that was just made; it is shown this once.
        rejection: why the last act was not done.
    """

    user: UserRow
    keys: tuple[KeyRow, ...]
    is_own: bool
    roles: tuple[Role, ...]
    act: str | None
    target: str
    new_key: str | None
    rejection: Rejection | None


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AccessChange(_Form):
    """Another role, client, or sources."""

    act: Literal["access"]
    role: str
    client_id: Annotated[str, Field(max_length=200)] = ""
    allowed_sources: Annotated[str, Field(max_length=4_000)] = ""


class PasswordSetting(_Form):
    """Another password."""

    act: Literal["password"]
    password: Annotated[str, Field(max_length=2_000, repr=False)]


class PlainAct(_Form):
    """An act that needs no further word."""

    act: Literal["disable", "enable", "make_key"]


class KeyRemoval(_Form):
    """Remove a key; the tokens that it was exchanged for end."""

    act: Literal["remove_key"]
    key_id: Annotated[str, Field(max_length=200)]


_Act = AccessChange | PasswordSetting | PlainAct | KeyRemoval
_FORM: Final[TypeAdapter[_Act]] = TypeAdapter(Annotated[_Act, Field(discriminator="act")])


@console_page(Permission.USER_READ)
async def show_user(request: web.Request) -> web.Response:
    """Show one user."""
    return await _user_page(request)


@console_page(Permission.USER_MANAGE)
async def act_on_user(request: web.Request) -> web.Response:
    """Do what the form asks for."""
    form = await read_form(request, _FORM)
    path = _path(request)
    try:
        if isinstance(form, PlainAct) and form.act == "make_key":
            made = await api(request).post(f"{path}/api-keys")
            return await _user_page(request, new_key=str(made["api_key"]))
        notice = await _done(api(request), path, form)
    except ApiRejected as error:
        return await _user_page(request, rejection=rejection_of(error))
    return see(request, path_to("console", "users", request.match_info["username"]), notice=notice)


async def _done(api: UserApi, path: str, form: _Act) -> str:
    """Do it, and return the notice of that."""
    match form:
        case KeyRemoval():
            await api.delete(f"{path}/api-keys{path_to(form.key_id)}")
            return "key_removed"
        case AccessChange():
            await api.patch(path, _access_of(form))
            return "user_changed"
        case PasswordSetting():
            await api.patch(path, {"password": form.password})
            return "password_set"
        case PlainAct():
            await api.patch(path, {"disabled": form.act == "disable"})
            return "user_disabled" if form.act == "disable" else "user_enabled"


def _access_of(form: AccessChange) -> Json:
    body: Json = {"role": form.role}
    if form.client_id.strip():
        body["client_id"] = form.client_id.strip()
    if form.role == Role.PRODUCER:
        body["allowed_sources"] = lines_of(form.allowed_sources)
    return body


async def _user_page(
    request: web.Request, *, new_key: str | None = None, rejection: Rejection | None = None
) -> web.Response:
    path = _path(request)
    user = user_row(await api(request).get(path))
    keys = (await api(request).get(f"{path}/api-keys"))["data"]
    view = UserView(
        user=user,
        keys=tuple(KeyRow(each["id"], each["created_at"], each["last_used_at"]) for each in keys),
        is_own=user.username == session(request).username,
        roles=tuple(Role),
        act=request.query.get("act"),
        target=request.query.get("target", ""),
        new_key=new_key,
        rejection=rejection,
    )
    status = 200 if rejection is None else rejection.status
    return render(request, "console/accounts/user.html", view, status=status)


def _path(request: web.Request) -> str:
    return path_to("auth", "users", request.match_info["username"])
