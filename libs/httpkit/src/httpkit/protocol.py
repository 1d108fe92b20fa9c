"""The connection handler: aiohttp's own, but for what it says of requests that are no HTTP.

aiohttp answers these before there is a request for a middleware to see, in plain text, and logs each with a
traceback, so that anybody could fill the log. The hook, `RequestHandler.handle_error`, is public; putting a
subclass in place is not foreseen, and is done here and nowhere else.
"""

from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from domain.errors import ErrorCode
from httpkit.errors import ApiError, error_response

_log = structlog.get_logger(__name__)


class Connection(RequestHandler):
    """One connection of a client."""

    __slots__ = ()

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
            error = ApiError(
                ErrorCode.VALIDATION_ERROR, "this is not a well-formed HTTP request", status=status
            )
        else:
            _log.error("request_failed", exc_info=exc)
            error = ApiError(ErrorCode.INTERNAL_ERROR, "something went wrong on our side")
        if request.writer.output_size > 0:
            raise ConnectionError("part of the answer has been sent already")
        response = error_response(error)
        response.force_close()
        return response


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        return Connection(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs an app on such connections."""

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        return _Server(
            server.request_handler,
            request_factory=server.request_factory,
            handler_cancellation=server.handler_cancellation,
            loop=server._loop,  # noqa: SLF001  # aiohttp gives no other way to it
            **server._kwargs,  # noqa: SLF001
        )
