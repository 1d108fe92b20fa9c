"""Requests and responses without input and output: what both clients share."""

import json
import logging
import math
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, Final, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from waybill.errors import ConnectionFailed, UnexpectedResponse, WaybillError, error_class
from waybill.operations import Operation
from waybill.retries import instant_of, seconds_of
from waybill.values import json_bytes, path_of

UNASKED_WAIT_S: Final = 5.0
"""Seconds that the API waits for a shipment to be created or changed if it is not asked to (docs/api.md)."""
LONGEST_WAIT_S: Final = 30
"""The longest that the API waits for an outcome (docs/api.md)."""
PAGE_SIZE: Final = 100
"""The most that the API gives."""

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"

_log = logging.getLogger("waybill")

_UNSENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
_MALFORMED: Final = (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)

MAX_CONTENT: Final = 64 * 1024 * 1024
"""Bytes of a response, uncompressed: several times what the longest page may have."""

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of an operation.

    Attributes:
        steps: values of the path's parameters.
        query: see `query_of`.
        body: sent as JSON; None: no body.
        ndjson: sent as it is, in place of `body`.
        wait_s: seconds for the server to wait for the outcome (`Prefer: wait`, RFC 7240).
        slow_s: seconds that the server may take if `wait_s` is None.
        accepted: statuses that are no error, besides 2xx.

    Raises:
        ValueError: a wait that the API would ignore.
    """

    operation: Operation
    steps: Mapping[str, object] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    ndjson: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_s: float | None = None
    slow_s: float = 0
    accepted: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        """Reject a wait that the API would ignore, so that the call would not wait at all."""
        if self.wait_s is not None and not 0 <= self.wait_s <= LONGEST_WAIT_S:
            raise ValueError(f"wait must be 0 to {LONGEST_WAIT_S} seconds: {self.wait_s}")

    @property
    def path(self) -> str:
        """The path, with its parameters in place."""
        return path_of(self.operation.path, self.steps)

    @property
    def content(self) -> bytes | None:
        """The body as bytes."""
        if self.ndjson is not None:
            return self.ndjson
        return None if self.body is None else json_bytes(self.body)

    def all_headers(self, token: str | None) -> dict[str, str]:
        """Return the header fields of this call."""
        headers = {"Accept": JSON, **self.headers}
        if self.ndjson is not None:
            headers["Content-Type"] = NDJSON
        elif self.body is not None:
            headers["Content-Type"] = JSON
        if self.wait_s is not None:
            wait = f"wait={math.ceil(self.wait_s)}"
            headers["Prefer"] = f"{headers['Prefer']}, {wait}" if "Prefer" in headers else wait
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return headers


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful response."""

    status_code: int
    body: Any
    headers: Mapping[str, str]

    @property
    def is_queued(self) -> bool:
        """Whether the request is accepted, and its outcome is still to come (202)."""
        return self.status_code == HTTPStatus.ACCEPTED

    def as_object(self) -> Mapping[str, Any]:
        """Return the body, a JSON object.

        Raises:
            UnexpectedResponse: it is none.
        """
        if not isinstance(self.body, dict):
            raise UnexpectedResponse(self.status_code, message="the response is no JSON object")
        return self.body

    def as_model(self, model: type[ModelT]) -> ModelT:
        """Return the body as a model.

        Raises:
            UnexpectedResponse: the body has another form.
        """
        try:
            return model.model_validate(self.body)
        except ValidationError as error:
            first = error.errors()[0]
            where = "/".join(str(step) for step in first["loc"])
            message = f"the response is no {model.__name__}: /{where}: {first['msg']}"
            raise UnexpectedResponse(
                self.status_code, message=message, request_id=_id(self.headers)
            ) from None


class Content:
    """Body of a response, taken piece by piece: a server could send one without end."""

    def __init__(self, status_code: int) -> None:
        self._status_code = status_code
        self._pieces: list[bytes] = []
        self._size = 0

    def take(self, piece: bytes) -> None:
        """Add a piece.

        Raises:
            UnexpectedResponse: it is more than `MAX_CONTENT`.
        """
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > MAX_CONTENT:
            raise UnexpectedResponse(
                self._status_code, message=f"the response has more than {MAX_CONTENT} bytes"
            )

    def __bytes__(self) -> bytes:
        """Return the whole."""
        return b"".join(self._pieces)


def reply_of(response: httpx2.Response, content: bytes, accepted: frozenset[int] = frozenset()) -> Reply:
    """Return a successful response.

    Raises:
        ApiError: it is an error.
    """
    status, headers = response.status_code, response.headers
    body = json_of(content)
    if response.is_success or status in accepted:
        if body is None and content:
            raise UnexpectedResponse(status, message=_not_json(response), request_id=_id(headers))
        return Reply(status, body, headers)
    if response.is_redirect:
        target = headers.get("location", "nowhere")
        message = f"{response.url} redirects to {target}: give the address of the API itself"
        raise UnexpectedResponse(status, message=message, request_id=_id(headers))
    given = body if isinstance(body, dict) else {}
    raise error_class(status)(
        status,
        given,
        message=None if given else f"{response.reason_phrase or 'error'}; {_not_json(response)}",
        request_id=_id(headers),
        retry_after=seconds_of(headers.get("retry-after")),
    )


def require_content_type(response: httpx2.Response, wanted: str) -> None:
    """Check what a successful response is, before it is read.

    Raises:
        UnexpectedResponse: something else.
    """
    kind = response.headers.get("content-type", "nothing")
    if kind.partition(";")[0].strip().lower() != wanted:
        message = f"the response is not {wanted} but {kind}: is {response.url.host} Waybill's API?"
        raise UnexpectedResponse(response.status_code, message=message, request_id=_id(response.headers))


def connection_failure(error: httpx2.RequestError, url: str) -> ConnectionFailed:
    """Return the error of a request that got no complete response.

    Raises:
        ValueError: the request itself is malformed.
    """
    if isinstance(error, _MALFORMED):
        raise ValueError(f"the request cannot be sent: {error}") from error  # noqa: TRY004 - its value
    text = str(error) or type(error).__name__
    if isinstance(error, _UNSENT):
        return ConnectionFailed(f"no connection to {url}: {text}", is_sent=False)
    return ConnectionFailed(f"no complete response from {url}: {text}", is_sent=True)


def log_retry(call: Call, failure: WaybillError, delay_s: float) -> None:
    """Log that a call is repeated, without anything of its content."""
    operation = call.operation
    reason = str(failure).partition("\n")[0]
    _log.info("%s %s is repeated in %.2f s: %s", operation.method, operation.path, delay_s, reason)


def address_of(url: str) -> httpx2.URL:
    """Return the address of the API, without a slash at its end.

    Raises:
        ValueError: it is no http or https address, or has credentials, a query or a fragment.
    """
    try:
        address = httpx2.URL(url.strip())
    except httpx2.InvalidURL as error:
        raise ValueError(f"{url!r} is no address: {error}") from None
    if address.scheme not in ("http", "https") or not address.host:
        raise ValueError(f"the address must begin with http:// or https://, and name a host: {url!r}")
    if address.userinfo:
        raise ValueError("credentials do not belong into the address: give username and password, or api_key")
    if address.query or address.fragment:
        raise ValueError(f"the address has a query or a fragment: {url!r}")
    return address.copy_with(path=address.path.rstrip("/"))


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine: a proxy of the environment could not reach it."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def tls_context(address: httpx2.URL) -> ssl.SSLContext:
    """Return the context of connections to an address: it trusts whom the system and `SSL_CERT_FILE` trust.

    For http it trusts nobody and is not used: loading certificates takes a tenth of a second.
    """
    if address.scheme == "http":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx2.create_ssl_context()


class ServerClock:
    """Difference between the server's clock and this machine's, from the `Date` of responses.

    Attributes:
        offset_s: seconds by which the server's clock is ahead, to a second; None before the first response.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self.offset_s: float | None = None

    def observe(self, headers: Mapping[str, str]) -> None:
        """Take the time of a response that has just arrived."""
        instant = instant_of(headers.get("date"))
        if instant is not None:
            self.offset_s = (instant - self._now()).total_seconds()


def _id(headers: Mapping[str, str]) -> str | None:
    return headers.get("x-request-id")


def json_of(content: bytes | str) -> Any:  # noqa: ANN401 - JSON is any
    """Return the value of a JSON text; None if it is none (RFC 8259 has no NaN and no infinity)."""
    try:
        return json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError):  # nested more deeply than any answer
        return None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} has no place in JSON")


def _not_json(response: httpx2.Response) -> str:
    kind = response.headers.get("content-type", "nothing")
    return f"the response is no JSON but {kind}: is {response.url.host} Waybill's API?"
