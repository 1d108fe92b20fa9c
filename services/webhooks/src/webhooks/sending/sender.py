"""One attempt: a signed request to a receiver, and how it ended."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from aiohttp import (
    AsyncResolver,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientOSError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    InvalidURL,
    ServerDisconnectedError,
    hdrs,
)
from yarl import URL

from domain.ports.core import Clock
from domain.values import value
from domain.webhooks.delivery import Attempt, AttemptError
from webhooks.sending.address_guard import AddressGuard, AddressNotAllowed
from webhooks.sending.guarded_session import (
    REQUEST_CONTEXT,
    OpenResolver,
    RequestContext,
    guarded_session,
)
from webhooks.sending.retry_after import retry_after_s
from webhooks.sending.signing import signed_headers
from webhooks.sending.target_url import PLAIN
from webhooks.sending.timing import TIMING, Timing

RESPONSE_BYTES: Final = 1024
_BODY_S: Final = 2.0
_USER_AGENT: Final = "Waybill-Webhooks/1"
_NO_TIMEOUT: Final = ClientTimeout(total=None)
_ERRORS: Final[Sequence[tuple[tuple[type[BaseException], ...], AttemptError]]] = (
    ((AddressNotAllowed,), AttemptError.ADDRESS_NOT_ALLOWED),
    ((TimeoutError,), AttemptError.TIMED_OUT),
    ((ClientConnectorDNSError,), AttemptError.NAME_NOT_RESOLVED),
    ((ssl.SSLError, ssl.CertificateError), AttemptError.TLS_FAILED),
    ((ClientConnectorError, InvalidURL), AttemptError.NOT_CONNECTED),
    ((ServerDisconnectedError, OSError), AttemptError.CONNECTION_LOST),
)
"""Errors by what caused them; the first that fits."""
_HEADERS: Final = {
    hdrs.CONTENT_TYPE: "application/json",
    hdrs.ACCEPT_ENCODING: "identity",
    hdrs.USER_AGENT: _USER_AGENT,
}


@value(kw_only=True)
class SignedMessage:
    """A message for one receiver.

    Attributes:
        url: of the receiver.
        secrets: that sign it.
        message_id: the `webhook-id`.
        body: bytes of a JSON text.
    """

    url: str
    secrets: Sequence[str]
    message_id: str
    body: bytes


@value()
class _Response:
    status: int
    retry_after: str | None
    body: bytes


class Sender:
    """Sends messages; see `open_sender`."""

    def __init__(
        self, secure: ClientSession, plain: ClientSession, clock: Clock, *, attempt_s: float
    ) -> None:
        self._secure = secure
        self._plain = plain
        self._clock = clock
        self._attempt_s = attempt_s

    async def attempt(self, message: SignedMessage, *, write_by: float | None = None) -> Attempt:
        """Send a message once, and return how that ended; takes up to 17 s.

        Args:
            message: with its receiver.
            write_by: last moment for writing the request, by `time.monotonic`; None: as long as an attempt
                takes.

        Raises:
            TooLate: nothing was written.
        """
        loop = asyncio.get_running_loop()
        at, begun = self._clock.now(), loop.time()
        deadline = begun + self._attempt_s
        headers = _HEADERS | signed_headers(message.message_id, message.body, message.secrets, at)
        context = RequestContext(time.monotonic() + self._attempt_s if write_by is None else write_by)
        response, error = None, None
        try:
            response = await self._respond(message, headers, context, deadline)
        except (TimeoutError, ClientError, OSError, ValueError) as fault:
            error = _error_of(fault)
        took_ms = round((loop.time() - begun) * 1000)
        if response is None:
            return Attempt(at=at, status_code=None, duration_ms=took_ms, error=error)
        return Attempt(
            at=at,
            status_code=response.status,
            duration_ms=took_ms,
            error=None if 200 <= response.status < 300 else AttemptError.STATUS,  # noqa: PLR2004
            response=response.body.decode(errors="replace"),
            retry_after_s=retry_after_s(response.status, response.retry_after, self._clock.now()),
        )

    async def _respond(
        self, message: SignedMessage, headers: dict[str, str], context: RequestContext, deadline: float
    ) -> _Response:
        token = REQUEST_CONTEXT.set(context)
        try:
            async with asyncio.timeout_at(deadline):
                response = await self._post(message, headers, context)
            return _Response(
                response.status, response.headers.get(hdrs.RETRY_AFTER), await _read(response, deadline)
            )
        finally:
            REQUEST_CONTEXT.reset(token)

    async def _post(
        self, message: SignedMessage, headers: dict[str, str], context: RequestContext
    ) -> ClientResponse:
        url = URL(message.url)
        session = self._plain if url.scheme == PLAIN else self._secure
        while True:
            context.reused = False  # unless it gets as far as a connection
            try:
                return await session.post(
                    url, data=message.body, headers=headers, allow_redirects=False, timeout=_NO_TIMEOUT
                )
            except (ServerDisconnectedError, ClientOSError, ClientResponseError):
                # Receivers close idle connections, or something is left there of the response before. Whether
                # this one took the request is unknown: its id lets the receiver ignore the second one.
                if not context.reused:
                    raise


async def _read(response: ClientResponse, deadline: float) -> bytes:
    """Return the beginning of a response's body, or what there is of it in time; its end does not matter."""
    read = bytearray()
    try:
        async with asyncio.timeout_at(min(deadline, asyncio.get_running_loop().time() + _BODY_S)):
            while len(read) < RESPONSE_BYTES:
                part = await response.content.read(RESPONSE_BYTES - len(read))
                if not part:
                    response.release()
                    break
                read += part
    except (TimeoutError, ClientError, OSError):
        pass
    response.close()
    return bytes(read)


def _error_of(fault: Exception) -> AttemptError:
    causes = tuple(_causes(fault))
    for kinds, error in _ERRORS:
        if any(isinstance(cause, kinds) for cause in causes):
            return error
    return AttemptError.INVALID_RESPONSE


def _causes(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        if isinstance(fault, ClientConnectorError):
            yield fault.os_error
        fault = fault.__cause__


@asynccontextmanager
async def open_sender(
    guard: AddressGuard,
    clock: Clock,
    *,
    timing: Timing = TIMING,
    open_resolver: OpenResolver = AsyncResolver,
) -> AsyncIterator[Sender]:
    """Open a sender; at exit, close its connections.

    Args:
        guard: of the addresses that it may connect to.
        clock: for the time of attempts.
        timing: how long an attempt may take.
        open_resolver: see `guarded_session`.
    """
    async with AsyncExitStack() as stack:
        secure, plain = [
            await stack.enter_async_context(guarded_session(guard, plain=each, open_resolver=open_resolver))
            for each in (False, True)
        ]
        yield Sender(secure, plain, clock, attempt_s=timing.attempt_s)
