"""The connection handler: aiohttp's own, but for requests that are no HTTP and clients that hold it up.

aiohttp answers what is no HTTP before there is a request for a middleware to see, in plain text, and logs
each with a traceback, so that anybody could fill the log. And it waits too long: for a first head as long as
for the next request, and for ever for a client that does not read its answer. The hooks, `handle_error` and
those of `asyncio.Protocol`, are public; putting a subclass in place is not foreseen, and is done here and
nowhere else.
"""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, cast

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_protocol import RequestHandler

from domain.errors import ErrorCode
from httpkit.response.errors import ApiError, error_response

MAX_TARGET_BYTES: Final = 8 * 1024
MAX_HEAD_BYTES: Final = 32 * 1024
"""The gateway's bounds. Of a head, each field is held to it here; there, all of them together are."""
_TOO_MANY_FIELDS: Final = "Too many headers received"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionTimeouts:
    """How long a client may hold a connection up.

    Attributes:
        head_s: from the connection to the end of its first head. The heads after it are bounded by the
            keep-alive, which does not begin anew with their bytes.
        write_s: how often it is looked whether a client reads: one that has read nothing of what it was sent
            between two looks is cut off.
    """

    head_s: float
    write_s: float


class Connection(RequestHandler):
    """One connection of a client."""

    __slots__ = ("_head_timer", "_patience", "_seen_requests", "_unsent", "_wire", "_write_timer")

    def __init__(self, manager: web.Server, *, patience: ConnectionTimeouts, **named: Any) -> None:  # noqa: ANN401  # aiohttp's
        super().__init__(manager, **named)
        self._patience = patience
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._wire: asyncio.WriteTransport | None = None
        self._unsent = 0
        self._seen_requests = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`: the first head is waited for from here on."""
        super().connection_made(transport)
        self._wire = cast("asyncio.WriteTransport", transport)
        self._look_again()
        self._head_timer = self._loop.call_later(self._patience.head_s, self._require_head)

    def connection_lost(self, exc: BaseException | None) -> None:
        """See `asyncio.Protocol`."""
        for timer in (self._head_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        self._wire = None
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`: the client has read."""
        self._unsent = 0
        super().resume_writing()

    def _require_head(self) -> None:
        if self._request_count == 0:
            self.force_close()

    def _look_again(self) -> None:
        self._write_timer = self._loop.call_later(self._patience.write_s, self._require_reading)

    def _require_reading(self) -> None:
        """Cut the client off if nothing can have been added since the last look, and nothing was read.

        Also behind the end of a connection: what `close()` finds unsent it waits for, for ever, and aiohttp
        has let go of its transport by then.
        """
        if self._wire is None:
            return
        held = self.writing_paused or self._wire.is_closing()
        unsent = self._wire.get_write_buffer_size() if held or self._current_request is None else 0
        # Between two looks that meet no request, whole ones may have been answered, and read.
        comparable = held or self._request_count == self._seen_requests
        if comparable and 0 < self._unsent <= unsent:
            self._wire.abort()
            return
        self._unsent, self._seen_requests = unsent, self._request_count
        self._look_again()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  # it may quote what was sent
    ) -> web.StreamResponse:
        """Return the one error body; the connection ends with it.

        Raises:
            ConnectionError: part of another answer has been sent already.
        """
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.debug("request_unreadable", error=repr(exc))
            error = _unreadable(exc, status)
        else:
            _log.error("request_failed", exc_info=exc)
            error = ApiError(ErrorCode.INTERNAL_ERROR, "something went wrong on our side")
        if request.writer.output_size > 0:
            raise ConnectionError("part of the answer has been sent already")
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
    def __init__(self, *args: Any, patience: ConnectionTimeouts, **named: Any) -> None:  # noqa: ANN401  # aiohttp's
        super().__init__(*args, **named)
        self._patience = patience

    def __call__(self) -> RequestHandler:
        return Connection(self, patience=self._patience, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs an app on such connections."""

    def __init__(self, app: web.Application, *, patience: ConnectionTimeouts, **named: Any) -> None:  # noqa: ANN401  # aiohttp's
        super().__init__(app, **named)
        self._patience = patience

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        return _Server(
            server.request_handler,
            patience=self._patience,
            request_factory=server.request_factory,
            handler_cancellation=server.handler_cancellation,
            loop=server._loop,  # noqa: SLF001  # aiohttp gives no other way to it
            **server._kwargs,  # noqa: SLF001
        )
