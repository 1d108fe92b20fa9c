"""Client of Waybill's API: each call is made in the name of the user whose page asks for it."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

import aiohttp
import structlog
from aiohttp import hdrs, web
from yarl import URL

from httpkit.middleware.request_ids import REQUEST_ID, REQUEST_ID_HEADER

Json = dict[str, Any]

TIMEOUT_S: Final = 40.0
"""Longer than the API's `Prefer: wait` allows."""
CONNECTIONS: Final = 200
LARGEST_PAGE: Final = 100

_NO_RESPONSE: Final = {"error": "SERVICE_UNAVAILABLE", "message": "no response from the API"}
_NOTHING_THERE: Final = {"error": "NOT_FOUND", "message": "there is nothing of that name"}
_DOTS: Final = frozenset({".", ".."})
_FORWARDED: Final = (hdrs.X_FORWARDED_FOR, hdrs.X_FORWARDED_HOST, hdrs.X_FORWARDED_PROTO)

_log = structlog.get_logger(__name__)


class CallFailed(Exception):
    """A call that did not succeed.

    Attributes:
        message: for people, in English.
        code: the error code, such as INVALID_TRANSITION.
        status: of the response; 503 if there was none.
        problems: the fields that are wrong, as pointer and message.
        body: the whole error body.
        retry_after: in seconds, if the response says.
        request_id: of the call in the logs, if there was a response.
    """

    def __init__(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        super().__init__(str(body.get("message", f"status {status}")))
        self.status = status
        self.code = str(body.get("error", ""))
        self.message = str(self)
        details = body.get("details", ())
        self.problems = [Problem(str(each["pointer"]), str(each["message"])) for each in details]
        self.body = body
        self.retry_after = headers.get(hdrs.RETRY_AFTER)
        self.request_id = headers.get(REQUEST_ID_HEADER)


class LoggedOut(CallFailed):
    """The token, or the password of a login, is not valid: 401."""


class ApiUnavailable(CallFailed):
    """No response, or one that asks to try again later; a write may have been executed."""


class ApiRejected(CallFailed):
    """The API rejected the call."""


class Problem(NamedTuple):
    """A wrong field of a request."""

    pointer: str
    message: str


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A successful response.

    Attributes:
        body: the JSON object; empty if there was none.
    """

    status: int
    body: Json
    headers: Mapping[str, str]


class ListPage(NamedTuple):
    """A page of a list.

    Attributes:
        total: how many match in all, up to the API's own accuracy.
        next_cursor: for the next page; None: this is the last.
    """

    data: Sequence[Json]
    total: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class UserApi:
    """The API in the name of one user; the methods raise the errors of `call`.

    Attributes:
        token: None: for public routes, such as the login.
        sender: headers that say whose request this is: its address, host, scheme and id.
    """

    session: aiohttp.ClientSession
    url: str
    token: str | None = field(default=None, repr=False)
    sender: Mapping[str, str] = field(default_factory=dict)

    async def get(self, path: str, **query: object) -> Json:
        """Return the JSON object at a path; parameters that are None or empty are left out."""
        return (await self.call(hdrs.METH_GET, path, query=query)).body

    async def list_page(self, path: str, **query: object) -> ListPage:
        """Return a page of a list that has cursors."""
        body = await self.get(path, **query)
        pagination = body["pagination"]
        return ListPage(body["data"], int(pagination["total"]), pagination.get("next_cursor"))

    async def post(self, path: str, body: Json | None = None) -> Json:
        """Send POST."""
        return (await self.call(hdrs.METH_POST, path, body=body)).body

    async def put(self, path: str, body: Json) -> Json:
        """Send PUT."""
        return (await self.call(hdrs.METH_PUT, path, body=body)).body

    async def patch(self, path: str, body: Json) -> Json:
        """Send PATCH."""
        return (await self.call(hdrs.METH_PATCH, path, body=body)).body

    async def delete(self, path: str) -> Json:
        """Send DELETE."""
        return (await self.call(hdrs.METH_DELETE, path)).body

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ApiResponse:
        """Send one request, and return a successful response.

        Raises:
            LoggedOut: 401.
            ApiUnavailable: no response, 429, or 5xx.
            ApiRejected: any other error.
        """
        given = {name: str(value) for name, value in (query or {}).items() if value not in (None, "")}
        target = URL(
            f"{self.url}{path}?{urlencode(given, errors='replace')}" if given else self.url + path,
            encoded=True,
        )
        try:
            async with self.session.request(
                method, target, json=body, headers=self._headers(headers), allow_redirects=False
            ) as response:
                return await _read(response)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            _log.warning("api_unreachable", method=method, path=path, error=repr(error))
            raise ApiUnavailable(HTTPStatus.SERVICE_UNAVAILABLE, _NO_RESPONSE) from error

    def _headers(self, more: Mapping[str, str] | None) -> Mapping[str, str]:
        token: dict[str, str] = {} if self.token is None else {hdrs.AUTHORIZATION: f"Bearer {self.token}"}
        return {hdrs.ACCEPT: "application/json", **self.sender, **token, **(more or {})}


CLIENT: Final = web.AppKey("api_client", aiohttp.ClientSession)
API_URL: Final = web.AppKey("api_url", str)


async def open_api(app: web.Application) -> AsyncIterator[None]:
    """Keep connections to the API while the app runs."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S, connect=5.0)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(
        timeout=timeout, connector=connector, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        app[CLIENT] = session
        yield


def user_api(request: web.Request, token: str | None) -> UserApi:
    """Return the API in the name of the token's user, who sent `request`."""
    return UserApi(request.app[CLIENT], request.app[API_URL], token, _sender(request))


def path_to(*steps: object) -> str:
    """Return a path whose segments may hold any character.

    Raises:
        ApiRejected: a segment is `.` or `..`, which would lead to another path.
    """
    texts = [str(step) for step in steps]
    if not _DOTS.isdisjoint(texts):
        raise ApiRejected(HTTPStatus.NOT_FOUND, _NOTHING_THERE)
    return "".join(f"/{quote(each, safe='', errors='replace')}" for each in texts)


def _sender(request: web.Request) -> Mapping[str, str]:
    """Return the headers that say whose request this is, as the gateway has set them.

    Limits count the user's address, links are made for the user's host, and one id names the request in the
    logs of all services.
    """
    headers: dict[str, str] = {hdrs.HOST: request.host, REQUEST_ID_HEADER: request[REQUEST_ID]}
    for name in _FORWARDED:
        if name in request.headers:
            headers[name] = ", ".join(request.headers.getall(name))
    return headers


async def _read(response: aiohttp.ClientResponse) -> ApiResponse:
    body = _object_of(await response.read())
    if response.ok and response.status < HTTPStatus.MULTIPLE_CHOICES:
        return ApiResponse(response.status, body, response.headers)
    raise _failure_of(response.status)(response.status, body, response.headers)


def _failure_of(status: int) -> type[CallFailed]:
    if status == HTTPStatus.UNAUTHORIZED:
        return LoggedOut
    is_temporary = status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return ApiUnavailable if is_temporary else ApiRejected


def _object_of(text: bytes) -> Json:
    try:
        value = json.loads(text or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
