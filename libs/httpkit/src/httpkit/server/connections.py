"""The connection handler: aiohttp's own, with errors for malformed HTTP and timeouts for slow clients.

aiohttp responds to malformed HTTP in plain text, before any middleware sees a request, and logs each with a
traceback, so that anybody could fill the log. It also waits too long: for a first head as long as for the
next request, and for ever for a client that does not read its response. The hooks, `handle_error` and those
of `asyncio.Protocol`, are public; installing a subclass is not, and is done here and nowhere else.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, cast

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_protocol import RequestHandler

from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError, error_response

MAX_TARGET_BYTES: Final = 8 * 1024
MAX_HEAD_BYTES: Final = 32 * 1024
"""The gateway's bounds; here each header field is bounded, at the gateway all of them together."""
_TOO_MANY_FIELDS: Final = "Too many headers received"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionTimeouts:
    """Timeouts of a connection.

    Attributes:
        head_s: from the connection to the end of its first head. Later heads are bounded by the keep-alive,
            which their bytes do not extend.
        write_s: interval of the check whether a client reads: one that has read nothing of what it was sent
            between two checks is disconnected.
    """

    head_s: float
    write_s: float


class Connection(RequestHandler):
    """One connection of a client."""

    __slots__ = (
        "_head_timer",
        "_seen_requests",
        "_timeouts",
        "_unsent",
        "_when_lost",
        "_write_timer",
        "_write_transport",
    )

    def __init__(self, manager: web.Server, *, timeouts: ConnectionTimeouts, **named: Any) -> None:  # noqa: ANN401  # aiohttp's
        super().__init__(manager, **named)
        self._timeouts = timeouts
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._write_transport: asyncio.WriteTransport | None = None
        self._unsent = 0
        self._seen_requests = 0
        self._when_lost: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`: the timeout of the first head starts here."""
        super().connection_made(transport)
        self._write_transport = cast("asyncio.WriteTransport", transport)
        self._schedule_read_check()
        self._head_timer = self._loop.call_later(self._timeouts.head_s, self._close_without_head)

    def connection_lost(self, exc: BaseException | None) -> None:
        """See `asyncio.Protocol`."""
        for timer in (self._head_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        self._write_transport = None
        if self._when_lost is not None:
            self._when_lost()
        super().connection_lost(exc)

    def when_lost(self, callback: Callable[[], None] | None) -> None:
        """Call back when the connection is lost, instead of the callback before; None: of nobody."""
        self._when_lost = callback

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`: the client has read."""
        self._unsent = 0
        super().resume_writing()

    def _close_without_head(self) -> None:
        if self._request_count == 0:
            self.force_close()

    def _schedule_read_check(self) -> None:
        self._write_timer = self._loop.call_later(self._timeouts.write_s, self._close_if_not_reading)

    def _close_if_not_reading(self) -> None:
        """Disconnect the client if it has read nothing since the last check.

        Applies to closing connections too: `close()` waits for unsent bytes for ever, and aiohttp has dropped
        its transport by then.
        """
        if self._write_transport is None:
            return
        held = self.writing_paused or self._write_transport.is_closing()
        unsent = self._write_transport.get_write_buffer_size() if held or self._current_request is None else 0
        # Between two checks without a current request, whole responses may have been sent and read.
        comparable = held or self._request_count == self._seen_requests
        if comparable and 0 < self._unsent <= unsent:
            self._write_transport.abort()
            return
        self._unsent, self._seen_requests = unsent, self._request_count
        self._schedule_read_check()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  # it may quote what was sent
    ) -> web.StreamResponse:
        """Return the error response and close the connection after it.

        Raises:
            ConnectionError: part of another response has been sent already.
        """
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.debug("request_unreadable", error=repr(exc))
            error = _unreadable(exc, status)
        else:
            _log.error("request_failed", exc_info=exc)
            error = ApiError(ErrorCode.INTERNAL_ERROR, "something went wrong on our side")
        if request.writer.output_size > 0:
            raise ConnectionError("part of the response has been sent already")
        response = error_response(error)
        response.force_close()
        return response


def _unreadable(fault: BaseException | None, status: int) -> ApiError:
    limit = fault.args[1] if isinstance(fault, LineTooLong) else None
    if limit == MAX_TARGET_BYTES:
        return ApiError(ErrorCode.URI_TOO_LONG, f"path and query are longer than {MAX_TARGET_BYTES} bytes")
    if limit == MAX_HEAD_BYTES or (fault is not None and fault.args[:1] == (_TOO_MANY_FIELDS,)):
        message = f"header fields are longer than {MAX_HEAD_BYTES} bytes, or too many"
        return ApiError(ErrorCode.FIELDS_TOO_LARGE, message)
    return ApiError(ErrorCode.VALIDATION_ERROR, "this is not a well-formed HTTP request", status=status)


class _Server(web.Server):
    def __init__(self, *args: Any, timeouts: ConnectionTimeouts, **named: Any) -> None:  # noqa: ANN401  # aiohttp's
        super().__init__(*args, **named)
        self._timeouts = timeouts

    def __call__(self) -> RequestHandler:
        return Connection(self, timeouts=self._timeouts, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """The app runner that uses `Connection`."""

    def __init__(self, app: web.Application, *, timeouts: ConnectionTimeouts, **named: Any) -> None:  # noqa: ANN401  # aiohttp's
        super().__init__(app, **named)
        self._timeouts = timeouts

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        return _Server(
            server.request_handler,
            timeouts=self._timeouts,
            request_factory=server.request_factory,
            handler_cancellation=server.handler_cancellation,
            loop=server._loop,  # noqa: SLF001  # aiohttp gives no other way to it
            **server._kwargs,  # noqa: SLF001
        )
