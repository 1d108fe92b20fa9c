"""Login and logout: the API checks the password, and its token becomes the session."""

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.access.permissions import Role
from httpkit.request.origins import is_secure
from portal.console.api import ApiUnavailable, CallFailed, user_api
from portal.console.frame import LOGIN, local_path, page_error, see
from portal.console.notices import NOTICES
from portal.console.session import PATH, end_session, read_session, session_of, start_session
from portal.web.forms import read_form
from portal.web.languages import message
from portal.web.rendering import render

_WRONG: Final = message("User name or password is wrong.")
_NO_PAGES: Final = message("This user reports events by the API, and has no pages.")
_TOO_MANY: Final = message("Too many attempts. Try again later.")


class LoginForm(BaseModel):
    """The form of the login."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    username: Annotated[str, Field(max_length=128)] = ""
    password: Annotated[str, Field(max_length=1024, repr=False)] = ""
    next: str = PATH


_FORM: Final = TypeAdapter(LoginForm)


@dataclass(frozen=True, slots=True)
class LoginView:
    """The page of the login.

    Attributes:
        username: as it was typed before.
        next: the page that the login leads to.
        problem: why the login failed.
        wait_s: seconds until the next attempt is possible; None: at once.
        notice: of what led here.
    """

    username: str
    next: str
    problem: str | None = None
    wait_s: str | None = None
    notice: str | None = None


async def show_login(request: web.Request) -> web.Response:
    """Show the login; somebody who is logged in is led on."""
    target = local_path(request.query.get("next", PATH))
    if session_of(request) is not None and "next" not in request.query:
        return see(request, target)
    notice = NOTICES.get(request.query.get("notice", ""))
    return render(request, "console/login.html", LoginView("", target, notice=notice))


async def log_in(request: web.Request) -> web.Response:
    """Log in, and lead to the page that was asked for."""
    form = await read_form(request, _FORM)
    credentials = {"username": form.username, "password": form.password}
    try:
        token = str((await user_api(request, None).post("/auth/login", credentials))["token"])
    except CallFailed as failed:
        return _refused(request, form, failed)
    session = read_session(token, now=time.time())
    if session is None or session.role is Role.PRODUCER:
        await user_api(request, token).post("/auth/logout")
        return _login_page(request, form, _NO_PAGES, HTTPStatus.FORBIDDEN)
    response = see(request, local_path(form.next))
    start_session(response, session, secure=is_secure(request))
    return response


async def log_out(request: web.Request) -> web.Response:
    """End the session: the token is revoked, and the cookie taken away."""
    session = session_of(request)
    if session is not None:
        try:
            await user_api(request, session.token).post("/auth/logout")
        except ApiUnavailable as failed:  # the token would live on
            raise page_error(failed) from failed
        except CallFailed:
            pass  # it has ended already
    response = see(request, LOGIN, notice="logged_out")
    end_session(response)
    return response


def _refused(request: web.Request, form: LoginForm, failed: CallFailed) -> web.Response:
    if failed.status == HTTPStatus.TOO_MANY_REQUESTS:
        return _login_page(request, form, _TOO_MANY, failed.status, wait_s=failed.retry_after)
    if isinstance(failed, ApiUnavailable):
        raise page_error(failed) from failed
    return _login_page(request, form, _WRONG, HTTPStatus.UNAUTHORIZED)


def _login_page(
    request: web.Request, form: LoginForm, problem: str, status: int, wait_s: str | None = None
) -> web.Response:
    view = LoginView(form.username, local_path(form.next), problem, wait_s)
    headers: dict[str, str] = {} if wait_s is None else {hdrs.RETRY_AFTER: wait_s}
    return render(request, "console/login.html", view, status=status, headers=headers)
