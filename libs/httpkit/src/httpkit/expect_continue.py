"""Handling of `Expect`: an early rejection, or `100 Continue` when the body is read."""

from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web
from aiohttp.http_writer import HttpVersion11

from httpkit.response.error_codes import ErrorCode
from httpkit.response.errors import ApiError, error_response

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_CONTINUE_SENT: Final = web.RequestKey("body_is_asked_for", bool)


async def handle_expectation(request: web.Request) -> web.Response | None:
    """Reject an unsupported expectation, and a body that is too long before it is sent.

    Returns:
        The response to a rejected request; None: it is handled like any other.
    """
    if request.version < HttpVersion11:
        return None
    if request.headers[hdrs.EXPECT].lower() != "100-continue":
        return _rejection(
            ErrorCode.VALIDATION_ERROR,
            "nothing but 100-continue can be expected",
            HTTPStatus.EXPECTATION_FAILED,
        )
    if (request.content_length or 0) > request.client_max_size:
        message = f"the body is longer than {request.client_max_size} bytes"
        return _rejection(ErrorCode.PAYLOAD_TOO_LARGE, message, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return None


async def send_continue(request: web.Request) -> None:
    """Send `100 Continue`, once, to a client that waits for it; call it just before the body is read.

    So a request that is rejected for its head (401, 403, 415, 429 …) is rejected before its body is sent.
    """
    if not _awaits_continue(request):
        return
    request[_CONTINUE_SENT] = True
    writer = request.writer
    await writer.write(_CONTINUE)
    writer.output_size = 0  # the response itself has not begun


async def close_if_body_unsent(request: web.Request, response: web.StreamResponse) -> None:
    """Close the connection after a response to a request whose body was not sent; for `on_response_prepare`.

    Whether the client sends the body nevertheless is unknown, so later bytes could not be parsed.
    """
    if _awaits_continue(request):
        response.force_close()
        response.headers[hdrs.CONNECTION] = "close"  # the headers are prepared by now


def _awaits_continue(request: web.Request) -> bool:
    return (
        hdrs.EXPECT in request.headers
        and request.version >= HttpVersion11
        and _CONTINUE_SENT not in request
        and not request.content.is_eof()
    )


def _rejection(code: ErrorCode, message: str, status: int) -> web.Response:
    response = error_response(ApiError(code, message, status=status))
    response.force_close()  # whether the client sends the body nevertheless is unknown
    return response
