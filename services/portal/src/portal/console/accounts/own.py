"""One's own account: who one is, and another password."""

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.access.permissions import Permission
from httpkit.response.error_codes import ErrorCode
from portal.console.api import ApiRejected, LoggedOut
from portal.console.frame import api, console_page, see, session
from portal.console.rejection import Rejection, rejection_of
from portal.web.forms import read_form
from portal.web.rendering import render

PATH: Final = "/console/account"


class PasswordForm(BaseModel):
    """The present password and the next one, twice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    current_password: Annotated[str, Field(max_length=2_000, repr=False)]
    new_password: Annotated[str, Field(max_length=2_000, repr=False)]
    repeated: Annotated[str, Field(max_length=2_000, repr=False)]


@dataclass(frozen=True, slots=True)
class AccountView:
    """The page of one's own account.

    Attributes:
        expires_at: when one is logged out.
        is_wrong: the present password was not the right one.
        differs: the new password was not typed twice the same.
        rejection: why the password was not changed.
    """

    username: str
    role: str
    client_id: str | None
    expires_at: datetime
    is_wrong: bool
    differs: bool
    rejection: Rejection | None


_FORM: Final = TypeAdapter(PasswordForm)


@console_page(Permission.OWN_PASSWORD_CHANGE)
async def show_account(request: web.Request) -> web.Response:
    """Show the reader's account."""
    return _account_page(request)


@console_page(Permission.OWN_PASSWORD_CHANGE)
async def change_password(request: web.Request) -> web.Response:
    """Change the reader's password; other sessions of the user end, this one stays."""
    form = await read_form(request, _FORM)
    if form.new_password != form.repeated:
        return _account_page(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, differs=True)
    body = {"current_password": form.current_password, "new_password": form.new_password}
    try:
        await api(request).post("/auth/password", body)
    except LoggedOut as error:
        if error.code != ErrorCode.INVALID_CREDENTIALS:
            raise
        return _account_page(request, status=HTTPStatus.FORBIDDEN, is_wrong=True)
    except ApiRejected as error:
        return _account_page(request, status=error.status, rejection=rejection_of(error))
    return see(request, PATH, notice="password_changed")


def _account_page(
    request: web.Request,
    *,
    status: int = HTTPStatus.OK,
    is_wrong: bool = False,
    differs: bool = False,
    rejection: Rejection | None = None,
) -> web.Response:
    reader = session(request)
    view = AccountView(
        username=reader.username,
        role=reader.role,
        client_id=reader.client_id,
        expires_at=datetime.fromtimestamp(reader.expires_at, UTC),
        is_wrong=is_wrong,
        differs=differs,
        rejection=rejection,
    )
    return render(request, "console/accounts/own.html", view, status=status)
