"""Users: their list, and a new one."""

from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.access.permissions import Permission, Role
from portal.console.api import ApiRejected, Json, path_to
from portal.console.frame import api, console_page, see
from portal.console.rejection import Rejection, rejection_of
from portal.web.forms import read_form
from portal.web.rendering import render

PAGE_LENGTH: Final = 50


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user.

    Attributes:
        client_id: of a user of the role client; None for others.
        allowed_sources: beginnings of the sources that a producer may report as; none: any.
        seeded: of every development database, with a well-known password.
    """

    username: str
    role: str
    client_id: str | None
    disabled: bool
    allowed_sources: tuple[str, ...]
    seeded: bool
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class UsersView:
    """The page with the list, by name.

    Attributes:
        offset: number of users before these.
        next_offset: of the next page; None: this is the last.
    """

    rows: tuple[UserRow, ...]
    total: int
    offset: int
    next_offset: int | None


class UserForm(BaseModel):
    """A user as the form has it; sources stand on a line each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    username: Annotated[str, Field(max_length=200)] = ""
    password: Annotated[str, Field(max_length=2_000, repr=False)] = ""
    role: str = Role.CLIENT.value
    client_id: Annotated[str, Field(max_length=200)] = ""
    allowed_sources: Annotated[str, Field(max_length=4_000)] = ""


@dataclass(frozen=True, slots=True)
class UserFormView:
    """The page with the form of a new user.

    Attributes:
        form: what stands in it.
        roles: to choose from.
        rejection: why it was not taken.
    """

    form: UserForm
    roles: tuple[Role, ...]
    rejection: Rejection | None


_FORM: Final = TypeAdapter(UserForm)


@console_page(Permission.USER_READ)
async def show_users(request: web.Request) -> web.Response:
    """Show the users by name."""
    offset = _offset_of(request.query.get("offset", ""))
    page = await api(request).get("/auth/users", limit=PAGE_LENGTH, offset=offset)
    pagination = page["pagination"]
    view = UsersView(
        rows=tuple(map(user_row, page["data"])),
        total=pagination["total"],
        offset=offset,
        next_offset=offset + PAGE_LENGTH if pagination["has_next"] else None,
    )
    return render(request, "console/accounts/users.html", view)


@console_page(Permission.USER_MANAGE)
async def show_new_user(request: web.Request) -> web.Response:
    """Show the form of a new user."""
    return _form_page(request, UserForm())


@console_page(Permission.USER_MANAGE)
async def create_user(request: web.Request) -> web.Response:
    """Make a user."""
    form = await read_form(request, _FORM)
    body: Json = {"username": form.username, "password": form.password, "role": form.role}
    if form.client_id.strip():
        body["client_id"] = form.client_id.strip()
    if sources := lines_of(form.allowed_sources):
        body["allowed_sources"] = sources
    try:
        made = await api(request).post("/auth/users", body)
    except ApiRejected as error:
        return _form_page(request, form, rejection_of(error))
    return see(request, path_to("console", "users", made["username"]), notice="user_created")


def user_row(user: Json) -> UserRow:
    """Return a user of the API."""
    return UserRow(
        username=user["username"],
        role=user["role"],
        client_id=user["client_id"],
        disabled=user["disabled"],
        allowed_sources=tuple(user["allowed_sources"]),
        seeded=user["seeded"],
        created_at=user["created_at"],
        updated_at=user["updated_at"],
    )


def lines_of(text: str) -> list[str]:
    """Return the lines of a field that are not empty."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _form_page(request: web.Request, form: UserForm, rejection: Rejection | None = None) -> web.Response:
    status = 200 if rejection is None else rejection.status
    return render(
        request, "console/accounts/new_user.html", UserFormView(form, tuple(Role), rejection), status=status
    )


def _offset_of(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0  # noqa: PLR2004  # five digits
