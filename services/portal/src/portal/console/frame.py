"""The frame of the console's pages: who is logged in, what their role may see, and errors as pages."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from aiohttp import hdrs, web

from domain.access.permissions import Permission, Role
from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError, Detail, Handler
from portal.console.api import ApiUnavailable, CallFailed, LoggedOut, UserApi, user_api
from portal.console.notices import NOTICES
from portal.console.session import PATH, Session, end_session, session_of
from portal.web.languages import LANG, chosen_language, message
from portal.web.rendering import CONSOLE

LOGIN: Final = f"{PATH}/login"
SESSION: Final = web.RequestKey("session", Session)
USER_API: Final = web.RequestKey("user_api", UserApi)

_LOCAL: Final = re.compile(r"/console(?:[/?][\x21-\x5b\x5d-\x7e]*)?", re.ASCII)
_HTMX: Final = "HX-Request"
_LONGEST_WAY_BACK: Final = 2_000


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the navigation.

    Attributes:
        permission: of those who see it.
    """

    path: str
    label: str
    permission: Permission


ENTRIES: Final = (
    Entry("/console/overview", message("Overview"), Permission.PARTITION_READ),
    Entry("/console/shipments", message("Shipments"), Permission.SHIPMENT_READ),
    Entry("/console/partitions", message("Partitions"), Permission.PARTITION_READ),
    Entry("/console/dead-letters", message("Dead letters"), Permission.DEAD_LETTER_READ),
    Entry("/console/quarantine", message("Quarantine"), Permission.QUARANTINE_READ),
    Entry("/console/webhooks", message("Webhooks"), Permission.WEBHOOK_READ),
    Entry("/console/users", message("Users"), Permission.USER_READ),
    Entry("/console/actions", message("Actions"), Permission.OPERATOR_ACTION_READ),
    Entry("/console/upload", message("Upload"), Permission.EVENT_REPORT),
)


@dataclass(frozen=True, slots=True)
class ConsoleFrame:
    """Surroundings of a page of the console; templates see it as `console`.

    Attributes:
        entries: the navigation of the user's role.
        current: path of the entry that the page belongs to.
        notice: of the act that led here; None: none did.
    """

    username: str
    is_admin: bool
    entries: tuple[Entry, ...]
    current: str
    notice: str | None


def console_page(permission: Permission) -> Callable[[Handler], Handler]:
    """Return a decorator for handlers of the console's pages.

    Without a session the caller is sent to the login and back. A role without `permission` gets 403, and an
    error of the API becomes an error page. Within the handler, `session(request)` and `api(request)` are the
    user's.
    """

    def decorate(handler: Handler) -> Handler:
        async def page(request: web.Request) -> web.StreamResponse:
            session = session_of(request)
            if session is None or session.role is Role.PRODUCER:
                return login_redirect(request)
            request[SESSION], request[USER_API] = session, user_api(request, session.token)
            request[CONSOLE] = _frame_of(request, session)
            if not session.may(permission):
                raise ApiError(ErrorCode.FORBIDDEN, "your role does not have this page")
            return await _answered(request, handler)

        return page

    return decorate


def session(request: web.Request) -> Session:
    """Return the session of a page's user."""
    return request[SESSION]


def api(request: web.Request) -> UserApi:
    """Return the API in the name of a page's user."""
    return request[USER_API]


def see(request: web.Request, path: str, **query: str | int | None) -> web.Response:
    """Return the redirect to a page after an act, such as `see(request, path, notice="resumed")`."""
    wanted = {LANG: chosen_language(request), **query}
    known = {name: str(value) for name, value in wanted.items() if value is not None}
    location = f"{path}?{urlencode(known)}" if known else path
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={hdrs.LOCATION: location})


def login_redirect(request: web.Request) -> web.Response:
    """Return the way to the login and, for a page, back to it."""
    way_back = request.path_qs if request.method == hdrs.METH_GET else PATH
    target = f"{LOGIN}?{urlencode({'next': way_back})}"
    if request.headers.get(_HTMX) == "true":  # a part of a page: the login must not appear inside of it
        return web.Response(status=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": LOGIN})
    response = web.Response(status=HTTPStatus.SEE_OTHER, headers={hdrs.LOCATION: target})
    end_session(response)
    return response


def local_path(text: str) -> str:
    """Return a page of the console that a login may lead to; anything else is its start."""
    return text if len(text) <= _LONGEST_WAY_BACK and _LOCAL.fullmatch(text) else PATH


def page_error(failed: CallFailed) -> ApiError:
    """Return the error page's error for a call that failed."""
    known = failed.code in list(ErrorCode)
    code = ErrorCode(failed.code) if known else ErrorCode.SERVICE_UNAVAILABLE
    details = [Detail(each.pointer, each.message) for each in failed.problems]
    headers: dict[str, str] = {} if failed.retry_after is None else {hdrs.RETRY_AFTER: failed.retry_after}
    is_server = isinstance(failed, ApiUnavailable) and failed.status != HTTPStatus.TOO_MANY_REQUESTS
    status = HTTPStatus.SERVICE_UNAVAILABLE if is_server else failed.status
    return ApiError(code, failed.message, details=details, headers=headers, status=status)


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except LoggedOut:
        return login_redirect(request)
    except CallFailed as failed:
        raise page_error(failed) from failed


def _frame_of(request: web.Request, session: Session) -> ConsoleFrame:
    entries = tuple(each for each in ENTRIES if session.may(each.permission))
    within = [each.path for each in entries if _is_within(request.path, each.path)]
    return ConsoleFrame(
        username=session.username,
        is_admin=session.role is Role.ADMIN,
        entries=entries,
        current=max(within, key=len, default=""),
        notice=NOTICES.get(request.query.get("notice", "")),
    )


def _is_within(path: str, entry: str) -> bool:
    return path == entry or path.startswith(f"{entry}/")
