"""Client of Waybill's HTTP API for operators: sequential calls with one token.

Credentials come from the environment alone: a command line is visible in `ps` and in shell histories.
"""

import json
from collections.abc import Iterator, Mapping
from http import HTTPMethod, HTTPStatus
from http.client import HTTPException
from ipaddress import ip_address
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from operations.errors import Misused, NotAnswering, Refused

Json = dict[str, Any]

API_KEY: Final = "WAYBILL_API_KEY"
USER: Final = "WAYBILL_USER"
PASSWORD: Final = "WAYBILL_PASSWORD"  # noqa: S105  # the name of a variable
PAGE: Final = 100

_TIMEOUT_S: Final = 30.0
_LATER: Final = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


class _NoRedirect(HTTPRedirectHandler):
    """Redirect handler that follows nothing: a token must not reach another address."""

    def redirect_request(self, *_args: object) -> None:
        """Refuse every redirect."""


class Waybill:
    """A running Waybill."""

    def __init__(self, url: str, environment: Mapping[str, str]) -> None:
        """Take the address and the credentials from the environment.

        Raises:
            Misused: not an HTTP address.
        """
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise Misused(f"{url} is no address: it begins with http:// or https://")
        self._url = url.rstrip("/")
        self._environment = environment
        self._token: str | None = None
        past_proxies = [ProxyHandler({})] if _is_loopback(str(urlsplit(url).hostname)) else []
        self._opener = build_opener(_NoRedirect, *past_proxies)

    def get(self, path: str, **query: object) -> Json:
        """Send GET; `_call` lists the errors. Query parameters that are None are left out."""
        asked = {name: str(value) for name, value in query.items() if value is not None}
        return self._authorised(HTTPMethod.GET, f"{path}?{urlencode(asked)}" if asked else path)

    def post(self, path: str, body: Json | None = None) -> Json:
        """Send POST; `_call` lists the errors."""
        return self._authorised(HTTPMethod.POST, path, body)

    def patch(self, path: str, body: Json) -> Json:
        """Send PATCH; `_call` lists the errors."""
        return self._authorised(HTTPMethod.PATCH, path, body)

    def put(self, path: str, body: Json) -> Json:
        """Send PUT; `_call` lists the errors."""
        return self._authorised(HTTPMethod.PUT, path, body)

    def delete(self, path: str) -> None:
        """Send DELETE; `_call` lists the errors."""
        self._authorised(HTTPMethod.DELETE, path)

    def pages(self, path: str, **query: object) -> Iterator[list[Json]]:
        """Yield a list page by page, from cursor to cursor."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=PAGE, cursor=cursor, **query)
            yield page["data"]
            cursor = page["pagination"]["next_cursor"]
            if cursor is None:
                return

    def _authorised(self, method: HTTPMethod, path: str, body: Json | None = None) -> Json:
        if self._token is None:
            self._token = self._log_in()
        return self._call(method, path, body, self._token)

    def _log_in(self) -> str:
        if key := self._environment.get(API_KEY):
            response = self._call(HTTPMethod.POST, "/auth/token", {"api_key": key})
        else:
            user, password = (self._environment.get(name) for name in (USER, PASSWORD))
            if not user or not password:
                raise Misused(f"no credentials: set {API_KEY}, or {USER} and {PASSWORD}")
            response = self._call(HTTPMethod.POST, "/auth/login", {"username": user, "password": password})
        return str(response["token"])

    def _call(self, method: HTTPMethod, path: str, body: Json | None, token: str | None = None) -> Json:
        """Send one request.

        Raises:
            Refused: Waybill rejected the request.
            NotAnswering: no response, or a retriable one; the request may have been executed.
        """
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data, headers, method=method)  # noqa: S310  # http(s), see above
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as response:
                return {} if response.status == HTTPStatus.NO_CONTENT else dict(json.load(response))
        except HTTPError as error:
            with error:
                raise _failure(error) from error
        except (URLError, OSError, HTTPException) as error:
            why = str(error.reason if isinstance(error, URLError) else error)
            raise NotAnswering(f"no response from {self._url}: {' '.join(why.split())}") from error
        except ValueError as error:
            raise NotAnswering(f"what {self._url} sent is no JSON: is it Waybill?") from error


def path_to(*steps: str) -> str:
    """Return a path whose segments may hold any character."""
    return "".join(f"/{quote(step, safe='')}" for step in steps)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _failure(error: HTTPError) -> Refused | NotAnswering:
    try:
        said = json.load(error)
        details = [f"{each['pointer']} {each['message']}" for each in said.get("details", [])]
        text = "; ".join([f"{said['message']} ({said['error']})", *details])
    except (ValueError, KeyError, TypeError, AttributeError, OSError, HTTPException):
        text = f"status {error.code}"
    if error.code in _LATER:
        return NotAnswering(f"{text}; try again in {error.headers.get('Retry-After', '1')} s")
    return Refused(text, error.code)
